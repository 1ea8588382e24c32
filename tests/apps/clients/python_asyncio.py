"""asyncio streams: non-blocking connects, all at once."""
import asyncio
import sys


async def line():
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


async def main(host, port):
    streams = await asyncio.gather(*(asyncio.open_connection(host, port) for _ in range(5)))
    print("READY", flush=True)
    await line()
    for _, writer in streams:
        writer.close()
        await writer.wait_closed()
    print("CLOSED", flush=True)
    await line()


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
