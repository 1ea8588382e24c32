"""A pool in good health: one requests.Session, ten requests spaced in time, then idle."""
import sys
import time

import requests

host, port = sys.argv[1:3]
with requests.Session() as session:
    for _ in range(10):
        assert session.get(f"http://{host}:{port}/small").text == "small"
        time.sleep(0.05)
    print("READY", flush=True)
    sys.stdin.readline()
print("CLOSED", flush=True)
sys.stdin.readline()
