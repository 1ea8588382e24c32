"""requests with a session, which has a pool of connections for each host."""
import requests

from http_common import MANY, PART, THREADS, common, hold, main, together, url, used_again

session = requests.Session()


def get(page):
    return session.get(f"{url}/{page}", stream=True)


def fetch(page, by=session):
    print(len(by.get(f"{url}/{page}").content))


def pool(size, page, **how):
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=size))
    together(lambda: session.get(f"{url}/{page}/{THREADS}"), **how)


def own():
    """A session for a request, and none of them is closed."""
    by = requests.Session()
    fetch("small", by)
    return by


main({**common(get, lambda response: response.raw.read(PART), lambda response: response.content,
               requests.Response.close),
      "small-pool": lambda: pool(1, "together"),
      "idle": lambda: pool(THREADS, "together-idle", rounds=1),
      "healthy": lambda: [fetch("small") for _ in range(MANY)],
      "retry": lambda: [fetch("hangup" if i else "small") for i in reversed(range(MANY))],
      "again": lambda: used_again(fetch),
      "kept": lambda: hold(MANY, own)})
