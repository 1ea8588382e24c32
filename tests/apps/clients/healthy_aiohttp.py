"""aiohttp: healthy_aiohttp.py WHAT URL [CA], then at rest; URL is that of a path of
patient_server.py where it says how long something takes, else of the server."""
import asyncio
import ssl
import sys

import aiohttp

PAUSE = 0.15


class Client:
    """`started`: the first bytes of a stream have come."""

    def __init__(self, session, url):
        self.session, self.url, self.started = session, url, asyncio.Event()

    async def get(self, path="/small", expected=b"small"):
        async with self.session.get(self.url + path) as answer:
            assert await answer.read() == expected

    async def steadily(self, pause=0.1, *what):
        self.started.set()
        while True:
            await self.get(*what)
            await asyncio.sleep(pause)

    async def sequential(self):
        for _ in range(5):
            await self.get()
            await asyncio.sleep(PAUSE)
        self.started.set()

    async def burst(self):
        for _ in range(2):
            await asyncio.gather(*(self.get("/wait/300", b"waited") for _ in range(8)))
        await self.steadily()

    async def busy(self):
        await self.steadily(0.05, "/page", b"x" * 100_000)

    async def poll(self):
        self.started.set()
        while True:
            await self.get("", b"waited")

    async def content(self):
        async with self.session.get(self.url) as answer:
            async for _ in answer.content.iter_any():
                self.started.set()

    async def paused(self):
        """So much comes that the loop does not listen meanwhile."""
        async with self.session.get(self.url) as answer:
            async for _ in answer.content.iter_chunked(65536):
                self.started.set()
                await asyncio.sleep(0.4)

    async def upload(self):
        async def pieces():
            while True:
                yield b"p" * 100
                self.started.set()
                await asyncio.sleep(0.15)

        async with self.session.post(self.url, data=pieces()) as answer:
            await answer.read()

    async def websocket(self):
        async with self.session.ws_connect(self.url) as ws:
            await ws.send_str("hello")
            assert (await ws.receive()).data == "hello"
            self.started.set()
            await ws.receive()

    async def three_websockets(self):
        tasks = []
        for _ in range(3):
            other = Client(self.session, self.url)
            tasks.append(asyncio.ensure_future(other.websocket()))
            await other.started.wait()
            await asyncio.sleep(PAUSE)
        self.started.set()
        await asyncio.gather(*tasks)


async def main(what, url, ca=None):
    context = ssl.create_default_context(cafile=ca) if ca else None
    connector = aiohttp.TCPConnector(ssl=context, keepalive_timeout=600)
    timeout = aiohttp.ClientTimeout(total=None, sock_read=600)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        client = Client(session, url)
        work = asyncio.ensure_future(getattr(client, what.replace("-", "_"))())
        started = asyncio.ensure_future(client.started.wait())
        await asyncio.wait([work, started], return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
        print("READY", flush=True)
        told = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        await asyncio.wait([told] + ([] if work.done() else [work]),
                           return_when=asyncio.FIRST_COMPLETED)
        if not told.done():
            work.result()
        work.cancel()


asyncio.run(main(*sys.argv[1:]))
