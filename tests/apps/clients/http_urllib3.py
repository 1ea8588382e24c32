"""urllib3: a pool manager, and responses that are read when one wants to."""
import urllib3

from http_common import LEAKS, PART, THREADS, common, hold, main, together, url

manager = urllib3.PoolManager()


def get(page, by=manager):
    return by.request("GET", f"{url}/{page}", preload_content=False)


def released():
    """Given back to the pool with its body unread."""
    by = urllib3.PoolManager()
    get("large", by).release_conn()
    return by


def small_pool():
    by = urllib3.PoolManager(maxsize=1)
    together(lambda: by.request("GET", f"{url}/together/{THREADS}"))
    return by


def idle():
    by = urllib3.PoolManager(maxsize=THREADS)
    together(lambda: by.request("GET", f"{url}/together-idle/{THREADS}"), rounds=1)
    return by


main({**common(get, lambda response: response.read(PART), lambda response: response.read(),
               urllib3.HTTPResponse.close),
      "released": lambda: hold(LEAKS, released),
      "small-pool": small_pool,
      "idle": idle})
