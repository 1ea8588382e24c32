"""Opens a connection and hands it on: a command a line, each answered with one line.

    open HOST PORT   connect, and keep the socket, to be inherited by exec
    fork             a child that connects too, and lives until the end; answers its pid
    spawn            a child that is started by exec with all descriptors; answers its pid
    shell            the same by a shell, which forks it; answers its pid
    touch            a child by exec that writes to the connection; answers its pid
    stdin            a child by exec that has the connection as its standard input; its pid
    send             sends the connection to a child by a message; answers its pid
    drop             close the connection
"""
import os
import signal
import socket
import subprocess
import sys

WAIT = "import sys; print('up', flush=True); sys.stdin.readline()"
PAUSE = "import signal; print('up', flush=True)\nwhile True: signal.pause()"
TOUCH = "import os; os.write(int(os.environ['FD']), b'x'); " + WAIT
SLEEP = ["/usr/bin/sleep", "1000"]
kept, children = [], []


def open_(host, port):
    kept.append(socket.create_connection((host, int(port))))
    kept[0].set_inheritable(True)
    return "OK"


def started(argv, **how):
    how = {"stdin": subprocess.PIPE, "close_fds": False, **how}
    children.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, **how))
    return children[-1]


def python(code, **how):
    child = started([sys.executable, "-c", code],
                    env=dict(os.environ, FD=str(kept[0].fileno())), **how)
    assert child.stdout.readline() == "up\n"
    return child.pid


def wait(_kept):
    """For ever: each report on the signal ends one pause."""
    while True:
        signal.pause()


def fork():
    peer = kept[0].getpeername()
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        own = socket.create_connection(peer)
        os.write(told, b"x")
        wait(own)
    os.read(ready, 1)
    return pid


def shell():
    return int(started(["/bin/sh", "-c", "/usr/bin/sleep 1000 & echo $!; wait"]).stdout.readline())


def send():
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        kept[0].close()
        os.open("/dev/null", os.O_RDONLY)  # under the number that it had
        _, fds, _, _ = socket.recv_fds(theirs, 1, 4)
        theirs.send(b"x")
        wait(fds)
    socket.send_fds(ours, [b"x"], [kept[0].fileno()])
    ours.recv(1)
    return pid


def drop():
    kept[0].close()
    return "OK"


COMMANDS = {"open": open_, "fork": fork, "spawn": lambda: started(SLEEP).pid, "shell": shell,
            "touch": lambda: python(TOUCH), "stdin": lambda: python(PAUSE, stdin=kept[0]),
            "send": send, "drop": drop}

for line in sys.stdin:
    command, *words = line.split()
    print(COMMANDS[command](*words), flush=True)
for child in children:
    child.kill()
