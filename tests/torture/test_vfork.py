"""A child of vfork() runs on our memory: what it does to its descriptors is not ours."""
import pytest

from look import assert_right, end, ready
from matrix import JAVA, PYTHON
from process import Program

SUBPROCESS = """
import socket, subprocess, sys
host, port = "127.0.0.1", int(sys.argv[1])
kept = [socket.create_connection((host, port)) for _ in range(3)]
for _ in range(int(sys.argv[2])):
    subprocess.run(["/bin/true"], close_fds=True, check=True)
    subprocess.run(["/bin/true"], close_fds=True, stdin=kept[0], pass_fds=[kept[1].fileno()],
                   check=True)
    socket.create_connection((host, port)).close()
print("READY", flush=True)
sys.stdin.readline()
"""

JAVA_EXEC = """
import java.net.Socket;

class VforkExec {
    public static void main(String[] args) throws Exception {
        Socket[] kept = new Socket[3];
        for (int i = 0; i < kept.length; i++)
            kept[i] = new Socket("127.0.0.1", Integer.parseInt(args[0]));
        for (int i = 0; i < 3; i++)
            if (new ProcessBuilder("/bin/true").start().waitFor() != 0)
                System.exit(1);
        System.out.println("READY");
        System.in.read();
    }
}
"""


@pytest.mark.parametrize("child", ["exit", "exec"])
def test_what_a_vfork_child_does_leaves_the_table_right(guard, start, loop, child):
    app = start("vfork", child)
    ready(app)
    assert_right(guard, app.pid, 3)
    app.ask("", "READY")
    assert_right(guard, app.pid, 0)
    end(app)


def test_python_subprocess_leaves_the_table_right(guard, start, port, home):
    with Program([PYTHON, "-c", SUBPROCESS, port, 10], guard.env(), home / "stderr") as app:
        ready(app)
        assert_right(guard, app.pid, 3)
        end(app)


def test_java_that_launches_by_vfork_leaves_the_table_right(guard, port, home):
    (home / "VforkExec.java").write_text(JAVA_EXEC)
    argv = [*JAVA, "-Djdk.lang.Process.launchMechanism=VFORK", home / "VforkExec.java", port]
    with Program(argv, guard.env(signal="PWR"), home / "stderr") as app:
        ready(app)
        assert_right(guard, app.pid, 3)
        end(app)
