"""http.client: connections that are kept alive, each with the response that is being read."""
import http.client
import socket
import ssl
from urllib.parse import urlsplit

from http_common import LEAKS, MANY, PART, ca, common, hold, main, url, used_again

base = urlsplit(url)
context = ssl.create_default_context(cafile=ca[0]) if ca else None


class Exchange:
    def __init__(self, page, connection=None, **how):
        self.connection = connection or connect(**how)
        self.connection.request("GET", f"{base.path}/{page}")
        self.response = self.connection.getresponse()

    def read(self, *size):
        return self.response.read(*size)

    def close(self):
        self.connection.close()


def connect(**how):
    if base.scheme == "https":
        return http.client.HTTPSConnection(base.hostname, base.port, context=context, **how)
    return http.client.HTTPConnection(base.hostname, base.port, **how)


def refused():
    """A socket of one's own is not closed by anybody when it can not connect."""
    connection = connect()
    connection.sock = socket.socket()
    print(connection.sock.connect_ex((base.hostname, base.port)))
    return connection


one = connect()


def ask(page):
    """By the one connection, which is opened again where the server has closed it."""
    try:
        body = Exchange(page, one).read()
    except http.client.RemoteDisconnected:
        one.close()
        body = Exchange(page, one).read()
    print(len(body))


def patient():
    """Asks with a timeout, which makes each read wait in poll() first."""
    print("STILL", flush=True)
    exchange = Exchange("stall", timeout=60)
    print(len(exchange.read()))
    return exchange


main({**common(Exchange, lambda exchange: exchange.read(PART), Exchange.read, Exchange.close),
      "refused": lambda: hold(LEAKS, refused),
      "retry": lambda: [ask("hangup" if i else "small") for i in reversed(range(MANY))],
      "again": lambda: used_again(ask),
      "healthy": lambda: [ask("small") for _ in range(MANY)],
      "idle": lambda: hold(LEAKS, lambda: Exchange("idle")),
      "record": lambda: hold(LEAKS, lambda: Exchange("page")),
      "patient": patient})
