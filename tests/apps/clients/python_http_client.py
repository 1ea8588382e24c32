"""http.client: responses read to their end, connections kept."""
import http.client
import sys

host, port = sys.argv[1:3]
connections = [http.client.HTTPConnection(host, int(port)) for _ in range(5)]
for connection in connections:
    connection.request("GET", "/small")
    assert connection.getresponse().read() == b"small"
print("READY", flush=True)
sys.stdin.readline()
for connection in connections:
    connection.close()
print("CLOSED", flush=True)
sys.stdin.readline()
