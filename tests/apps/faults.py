"""Tiny servers with one special fault each, on threads of the test process."""
import select
import socket
import ssl
import threading


class FaultServer:
    """Accepts until stopped and hands each connection to `serve`; keeps what serve returns."""

    def __init__(self, host="127.0.0.1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, 0), family=family, backlog=64)
        self.host, self.port = self.listener.getsockname()[:2]
        self.kept = []
        self.wake, self.woken = socket.socketpair()
        self.thread = threading.Thread(target=self._accept_all, daemon=True)
        self.thread.start()

    def _accept_all(self):
        while True:
            ready, _, _ = select.select([self.listener, self.woken], [], [])
            if self.woken in ready:
                return
            conn, _ = self.listener.accept()
            kept = self.serve(conn)
            if kept:
                self.kept.append(kept)

    def serve(self, conn):
        raise NotImplementedError

    def release(self):
        """Ends the connections that are kept."""
        while self.kept:
            self.kept.pop().close()

    def stop(self):
        self.wake.close()
        self.thread.join(10)
        self.release()
        self.listener.close()
        self.woken.close()


class ClosesFirst(FaultServer):
    """Says hello and closes: the client's end goes to CLOSE_WAIT."""

    def serve(self, conn):
        conn.sendall(b"hello\n")
        conn.close()


class Holds(FaultServer):
    """Accepts and stays silent."""

    def serve(self, conn):
        return conn


class Answers(FaultServer):
    """Says that it is ready to whoever says something, and no more."""

    def serve(self, conn):
        conn.recv(100)
        conn.sendall(b"ready")
        return conn


class Stalls(FaultServer):
    """An HTTP response whose body begins with the line READY and ends on release()."""

    HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nREADY\n"

    def serve(self, conn):
        request = b""
        while b"\r\n\r\n" not in request:
            request += conn.recv(65536)
        conn.sendall(self.HEAD)
        return conn


class PlainHttp(FaultServer):
    """Takes whatever comes for a bad request."""

    def serve(self, conn):
        conn.recv(1000)
        conn.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        return conn


class TlsEcho(FaultServer):
    """Shakes hands, and sends everything back; as a proxy, it says yes to CONNECT or SOCKS first."""

    def __init__(self, certificate, host="127.0.0.1"):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate)
        super().__init__(host)

    def serve(self, conn):
        threading.Thread(target=self._echo, args=(conn,), daemon=True).start()
        return conn

    def _echo(self, conn):
        try:
            first = conn.recv(1, socket.MSG_PEEK)
            if first == b"C":
                conn.recv(4096)
                conn.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            elif first == b"\5":
                conn.recv(3)
                conn.sendall(b"\5\0")
                conn.recv(4096)
                conn.sendall(b"\5\0\0\1\0\0\0\0\0\0")
            with self.context.wrap_socket(conn, server_side=True) as tls:
                self.kept.append(tls)
                while data := tls.recv(65536):
                    tls.sendall(data)
        except OSError:
            pass  # the client has gone


class TlsHolds(FaultServer):
    """Shakes hands and stays silent."""

    def __init__(self, certificate):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate)
        super().__init__()

    def serve(self, conn):
        return self.context.wrap_socket(conn, server_side=True)


class Trickles(FaultServer):
    """Passes everything on to another port, and back, a byte at a time."""

    def __init__(self, to):
        self.to = to
        super().__init__()

    def serve(self, conn):
        onward = socket.create_connection((self.host, self.to))
        for source, target in ((conn, onward), (onward, conn)):
            target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._trickle, args=(source, target), daemon=True).start()
        self.kept.append(onward)
        return conn

    @staticmethod
    def _trickle(source, target):
        try:
            while data := source.recv(4096):
                for byte in data:
                    target.sendall(bytes([byte]))
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other way has ended


class Deaf:
    """Its queue is full: a connect() to it is neither answered nor refused."""

    def __init__(self, host="127.0.0.1"):
        self.listener = socket.socket()
        self.listener.bind((host, 0))
        self.listener.listen(0)
        self.host, self.port = self.listener.getsockname()
        self.first = socket.create_connection((self.host, self.port))

    def release(self):
        """Takes what has come; the kernels of those that wait try again by themselves."""
        self.listener.listen(64)
        self.listener.accept()[0].close()

    def stop(self):
        self.first.close()
        self.listener.close()


def refused_port(host="127.0.0.1"):
    """A socket bound and not listening: connecting to its port is refused. Close it after."""
    s = socket.socket()
    s.bind((host, 0))
    return s
