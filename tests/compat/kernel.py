"""What the kernel says of a process's TCP connections, by sock_diag(7) and /proc/PID/fd.

As tests/apps/truth.py, but quick among thousands of connections in TIME_WAIT, which are nobody's
any more and which /proc/net/tcp lists all the same. Of the network namespace that we are in.
"""
import ipaddress
import socket
import struct
from typing import NamedTuple

import truth

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST_DUMP = 0x301
STATES = 0xfff & ~(1 << 6 | 1 << 10)  # all but time-wait and listen
HEADER = struct.Struct("=IHHII")
REQUEST = struct.Struct("=BBBxI48x")
SOCKET = struct.Struct("=BBBB2s2s16s16sI8sIIIII")


class Held(NamedTuple):
    """A connection, as the kernel has it."""
    inode: int
    local: str
    remote: str


def endpoint(family, address, port):
    ip = ipaddress.ip_address(address[:4] if family == socket.AF_INET else address)
    if ip.version == 6:
        ip = ip.ipv4_mapped or ip
    number = int.from_bytes(port, "big")
    return f"[{ip}]:{number}" if ip.version == 6 else f"{ip}:{number}"


def messages(family):
    """The answers to a dump of all TCP sockets of a family."""
    body = REQUEST.pack(family, socket.IPPROTO_TCP, 0, STATES)
    head = HEADER.pack(HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST_DUMP, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as s:
        s.send(head + body)
        while True:
            data = s.recv(1 << 18)
            while data:
                size, kind, *_ = HEADER.unpack_from(data)
                if kind == NLMSG_DONE:
                    return
                if kind == NLMSG_ERROR:
                    raise OSError(-struct.unpack_from("=i", data, HEADER.size)[0], "sock_diag")
                yield data[HEADER.size:size]
                data = data[size + 3 & ~3:]


def connections(by_inode):
    """{Held: fds} of the sockets with these inodes."""
    found = {}
    for family in (socket.AF_INET, socket.AF_INET6):
        for message in messages(family):
            (of, _, _, _, local_port, remote_port, local, remote, _, _, _, _, _, _,
             inode) = SOCKET.unpack_from(message)
            if inode in by_inode:
                held = Held(inode, endpoint(of, local, local_port),
                            endpoint(of, remote, remote_port))
                found[held] = frozenset(by_inode[inode])
    return found


def look(pid):
    """({Held: fds}, {descriptors of sockets of any kind})"""
    by_inode = truth.socket_fds(pid)
    return connections(by_inode) if by_inode else {}, set().union(*by_inode.values())
