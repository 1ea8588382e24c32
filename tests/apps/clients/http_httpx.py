"""httpx: a client with a pool, and streamed responses."""
import httpx

from http_common import MANY, PART, THREADS, common, main, together, url

client = httpx.Client(timeout=None, limits=httpx.Limits(max_keepalive_connections=THREADS))
parts = []


def get(page, by=client):
    return by.send(by.build_request("GET", f"{url}/{page}"), stream=True)


def part(response):
    """An iterator that is dropped would close the response."""
    parts.append(response.iter_raw(PART))
    return next(parts[-1])


def fetch():
    for _ in range(MANY):
        print(httpx.get(f"{url}/small").text)


def small_pool():
    limits = httpx.Limits(max_keepalive_connections=1)
    with httpx.Client(limits=limits) as by:
        together(lambda: by.get(f"{url}/together/{THREADS}"))


def patient(timeout):
    print("STILL", flush=True)
    print(httpx.get(f"{url}/stall", timeout=timeout).text)


main({**common(get, part, httpx.Response.read, httpx.Response.close),
      "fetch": fetch,
      "small-pool": small_pool,
      "idle": lambda: together(lambda: client.get(f"{url}/together-idle/{THREADS}"), rounds=1),
      "stall": lambda: patient(None),
      "patient": lambda: patient(60)})
