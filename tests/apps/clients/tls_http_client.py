"""http.client over TLS: two responses each, connections kept."""
import http.client
import ssl
import sys

ca, name, _, *ports = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
connections = [http.client.HTTPSConnection(name, int(port), context=context) for port in ports]
for connection in connections * 2:
    connection.request("GET", "/page")
    assert len(connection.getresponse().read()) == 100_000
print("READY", flush=True)
sys.stdin.readline()
for connection in connections:
    connection.close()
print("CLOSED", flush=True)
sys.stdin.readline()
