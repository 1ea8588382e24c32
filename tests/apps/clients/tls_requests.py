"""requests over TLS: a session with a pool of kept connections."""
import sys

import requests

ca, name, _, *ports = sys.argv[1:]
session = requests.Session()
for port in ports:
    assert len(session.get(f"https://{name}:{port}/page", verify=ca).content) == 100_000
print("READY", flush=True)
sys.stdin.readline()
session.close()
print("CLOSED", flush=True)
sys.stdin.readline()
