"""What the kernel says: the TCP connections of a process, from /proc alone.

The descriptors of /proc/PID/fd give socket inodes; /proc/PID/net/tcp and tcp6 give addresses and
states. Listening sockets are no connections; ::ffff:1.2.3.4 is 1.2.3.4.
"""
import ipaddress
import os
from typing import NamedTuple

STATES = {1: "established", 2: "syn-sent", 3: "syn-recv", 4: "fin-wait-1", 5: "fin-wait-2",
          6: "time-wait", 7: "close", 8: "close-wait", 9: "last-ack", 10: "listen", 11: "closing"}


class Socket(NamedTuple):
    """One connection; fds are the descriptors through which the process holds it."""
    local: str
    remote: str
    state: str
    fds: frozenset


def endpoint(text):
    """"0100007F:1F90" of /proc/net/tcp as "127.0.0.1:8080"; IPv6 as "[::1]:8080"."""
    address, port = text.split(":")
    raw = b"".join(bytes.fromhex(address[i:i + 8])[::-1] for i in range(0, len(address), 8))
    ip = ipaddress.ip_address(raw)
    if ip.version == 6:
        ip = ip.ipv4_mapped or ip
    return f"[{ip}]:{int(port, 16)}" if ip.version == 6 else f"{ip}:{int(port, 16)}"


def socket_fds(pid):
    """{inode: {fd, ...}} of the process's sockets."""
    held = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            held.setdefault(int(target[8:-1]), set()).add(int(fd))
    return held


def tcp_rows(pid):
    """(inode, local, remote, state) of every TCP socket of the process's network namespace."""
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{table}") as f:
            next(f)
            for line in f:
                words = line.split()
                yield int(words[9]), words[1], words[2], STATES.get(int(words[3], 16), words[3])


def connections(pid):
    """The process's TCP connections, sorted. A set: a long /proc/net/tcp may show a row twice."""
    held = socket_fds(pid)
    return sorted({Socket(endpoint(local), endpoint(remote), state, frozenset(held[inode]))
                  for inode, local, remote, state in tcp_rows(pid)
                  if inode in held and state != "listen"})
