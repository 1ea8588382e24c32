"""asyncio streams over TLS: TLS in memory, its bytes carried by the event loop."""
import asyncio
import ssl
import sys

ca, name, host, *ports = sys.argv[1:]


async def line():
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


async def fetch(port, context):
    reader, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=name)
    writer.write(f"GET /ready HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
    await reader.readuntil(b"READY\n")
    return writer


async def main():
    context = ssl.create_default_context(cafile=ca)
    writers = await asyncio.gather(*(fetch(port, context) for port in ports))
    print("READY", flush=True)
    await line()
    for writer in writers:
        writer.close()
        await writer.wait_closed()
    print("CLOSED", flush=True)
    await line()


asyncio.run(main())
