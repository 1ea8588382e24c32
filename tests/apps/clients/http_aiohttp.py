"""aiohttp: a session with a pool, on an event loop that runs while the program stands still."""
import asyncio
import sys

import aiohttp

from http_common import MANY, PART, THREADS, common, hold, main, url

loop = asyncio.new_event_loop()
do = loop.run_until_complete


async def make_session(**how):
    return aiohttp.ClientSession(**how)


session = do(make_session())


def get(page, by=session):
    return do(by.get(f"{url}/{page}"))


async def fetch(page, by=session):
    async with by.get(f"{url}/{page}") as response:
        print(len(await response.read()))


async def own(page):
    """A session for a request."""
    async with aiohttp.ClientSession() as by:
        await fetch(page, by)


def left():
    """A session for a request, and none of them is closed."""
    by = do(make_session())
    do(fetch("small", by))
    return by


async def gathered(page):
    await asyncio.gather(*(fetch(f"{page}/{THREADS}") for _ in range(THREADS)))


main({**common(get, lambda response: do(response.content.readexactly(PART)),
               lambda response: do(response.read()), lambda response: response.close()),
      "churn": lambda: [do(own("small")) for _ in range(MANY)],
      "churn-bye": lambda: [do(fetch("bye")) for _ in range(MANY)],
      "healthy": lambda: [do(fetch("small")) for _ in range(MANY)],
      "kept": lambda: hold(MANY, left),
      "idle": lambda: do(gathered("together-idle"))},
     wait=lambda: do(loop.run_in_executor(None, sys.stdin.readline)))
