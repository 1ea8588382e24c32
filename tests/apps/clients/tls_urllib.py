"""urllib over TLS: responses that the server has finished and nobody reads or closes."""
import ssl
import sys
import urllib.request

ca, name, _, *ports = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
responses = [urllib.request.urlopen(f"https://{name}:{port}/ready", context=context)
             for port in ports]
print("READY", flush=True)
sys.stdin.readline()
for response in responses:
    response.close()
print("CLOSED", flush=True)
sys.stdin.readline()
