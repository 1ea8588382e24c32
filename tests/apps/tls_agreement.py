"""What a report says of TLS must be what the servers' logs say."""
import re
import time

from agreement import assert_same, compare
from tls_servers import NAME


def same_cipher(cipher):
    """OpenSSL's and GnuTLS's names of one cipher suite as one: ECDHERSAAES256GCMSHA384."""
    return re.sub("^TLS|WITH|[-_]", "", cipher)


def told(tls, gnutls):
    """What a report says, in the words of `logged`."""
    return {"version": tls.version, "cipher": same_cipher(tls.cipher) if gnutls else tls.cipher,
            "server name": tls.server_name, "ALPN": tls.alpn, "handshake": tls.handshake,
            "data in": tls.data_in, "data out": tls.data_out}


def logged(facts, gnutls, server_name, data):
    """What the server says; a server that does not count leaves the bytes to the caller."""
    assert facts.server_name in (server_name, None), "what the client sent"
    known = {"version": facts.version,
             "cipher": same_cipher(facts.cipher) if gnutls else facts.cipher,
             "server name": server_name, "ALPN": facts.alpn,
             "handshake": "resumed" if facts.resumed else "full"}
    data = data or facts.data
    return {**known, "data in": data[0], "data out": data[1]} if data else known


def assert_tls(found, endpoints, how, server_name=NAME, gnutls=False, data=None):
    """Each connection's line against the log: a server may write that when it has ended."""
    at = {f"{endpoint.host}:{endpoint.port}": endpoint for endpoint in endpoints}
    for connection in (c for c in found.connections if c.remote in at):
        endpoint = at[connection.remote]
        expected = logged(endpoint.facts(connection.local), gnutls, server_name, data)
        assert connection.tls, f"no TLS of {connection.local}, by {how}:\n{found.text}"
        said = {name: value for name, value in told(connection.tls, gnutls).items()
                if name in expected}
        assert said == expected, f"{endpoint.name}, by {how}:\n{found.text}"


def assert_nothing_leaked(found):
    assert found.leaked == found.leaked_objects == 0 and found.of("LEAK") == [], found.text


def assert_all_closed(guard, pid, seconds):
    """And it stays so: longer than it takes to be called a leak."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        reports, kernel = compare(guard, pid)
        assert kernel == []
        for how, found in reports.items():
            assert_same(found, kernel, how)
            assert_nothing_leaked(found)
