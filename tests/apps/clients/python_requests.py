"""requests with stream=True: responses whose bodies nobody reads."""
import sys

import requests

host, port = sys.argv[1:3]
responses = [requests.get(f"http://{host}:{port}/large", stream=True) for _ in range(5)]
print("READY", flush=True)
sys.stdin.readline()
for response in responses:
    response.close()
print("CLOSED", flush=True)
sys.stdin.readline()
