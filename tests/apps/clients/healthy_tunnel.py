"""Proxies, by requests and http.client: healthy_tunnel.py WHAT PROXY-HOST PROXY-PORT URL [CA],
then at rest."""
import http.client
import ssl
import sys
import time
from urllib.parse import urlsplit

import requests

from healthy import PAUSE, rest


def session(proxy, url, ca):
    """https: URLs through a tunnel, http: URLs by the proxy's own requests."""
    kept = requests.Session()
    kept.verify, kept.trust_env = ca, False
    kept.proxies = {urlsplit(url).scheme: "http://%s:%d" % proxy}
    for _ in range(4):
        assert kept.get(url + "/small", timeout=600).text == "small"
        time.sleep(PAUSE)
    return kept


def tunnel(proxy, url, ca):
    to = urlsplit(url)
    context = ssl.create_default_context(cafile=ca)
    kept = http.client.HTTPSConnection(*proxy, timeout=600, context=context)
    kept.set_tunnel(to.hostname, to.port)
    for _ in range(4):
        kept.request("GET", "/small")
        assert kept.getresponse().read() == b"small"
        time.sleep(PAUSE)
    return kept


def unused(proxy, url, _ca):
    """A tunnel that stands ready."""
    to = urlsplit(url)
    kept = http.client.HTTPConnection(*proxy, timeout=600)
    kept.set_tunnel(to.hostname, to.port)
    kept.connect()
    return kept


def main(what, host, port, url, ca=None):
    does = {"session": session, "tunnel": tunnel, "unused": unused}[what]
    kept = does((host, int(port)), url, ca)
    rest()
    del kept


main(*sys.argv[1:])
