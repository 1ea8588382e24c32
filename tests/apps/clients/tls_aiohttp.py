"""aiohttp: a session's pool of kept connections."""
import asyncio
import ssl
import sys

import aiohttp

ca, _, host, *ports = sys.argv[1:]


async def line():
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


async def main():
    context = ssl.create_default_context(cafile=ca)
    session = aiohttp.ClientSession()
    for port in ports:
        async with session.get(f"https://{host}:{port}/page", ssl=context) as response:
            assert len(await response.read()) == 100_000
    print("READY", flush=True)
    await line()
    await session.close()
    print("CLOSED", flush=True)
    await line()


asyncio.run(main())
