"""An HTTP server that is in no hurry and closes nothing that is kept alive: long polls, streams of
events, slow bodies, upgrades, tunnels. The path says what is wanted, times in milliseconds:

    /small /page /chunked /trailers /empty /none /same /gone /moved /hints
    /wait/MS           the answer after so long             /end    a body that ends with the stream
    /closing           and the connection with it           /surplus  a line end behind the body
    /lingering         closes some time after the client
    /events/MS         chunks for ever, one each MS         /once   one chunk, and then silence
    /drip/MS           1 KiB of a long body, each MS        /flow   64 MiB, as fast as they are read
    /upload            takes a body, then answers           /echo/MS  its 100 (Continue) comes late
    /early             answers at once, and then a chunk for each piece of the body that comes
    /ws/MS             101, and then a ping each MS; 0: silence. Sends back what is no pong.

CONNECT, SOCKS5, and paths that begin with http://, as a proxy gets them, are served as well.

    patient_server.py HOST PORT TLS-PORT CERTIFICATE KEY
"""
import asyncio
import base64
import hashlib
import ssl
import sys

PAGE, KIB, LONG = b"x" * 100_000, b"k" * 1024, 64 << 20
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
FIXED = {"/small": b"small", "/closing": b"closing", "/page": PAGE, "/empty": b"", "/gone": b"gone"}
STATUS = {"/gone": "404 Not Found"}


class Exchange:
    """One request and what is written in answer."""

    def __init__(self, head, reader, writer):
        first, *fields = head.decode("latin-1").strip().split("\r\n")
        self.method, self.target, self.version = first.split(" ")
        self.fields = {name.lower(): value.strip()
                       for name, _, value in (field.partition(":") for field in fields)}
        self.reader, self.writer = reader, writer
        self.path = "/" + self.target.split("/", 3)[-1] if "://" in self.target else self.target
        self.keeps = self.version == "HTTP/1.1" and self.fields.get("connection") != "close"

    def head(self, status="200 OK", *fields):
        end = ["Keep-Alive: timeout=600"] if self.keeps else ["Connection: close"]
        end = [] if status[0] == "1" else end
        self.writer.write("\r\n".join([f"HTTP/1.1 {status}", *fields, *end, "", ""]).encode())

    def chunk(self, data):
        self.writer.write(b"%x\r\n%s\r\n" % (len(data), data))

    def fixed(self, body, status="200 OK", *fields):
        self.head(status, f"Content-Length: {len(body)}", *fields)
        if self.method != "HEAD":
            self.writer.write(body)

    async def body(self):
        """The pieces of the request's body as they come."""
        if self.fields.get("transfer-encoding") == "chunked":
            while size := int(await self.reader.readline(), 16):
                yield await self.reader.readexactly(size)
                await self.reader.readline()
            await self.reader.readline()
            return
        left = int(self.fields.get("content-length", 0))
        while left:
            piece = await self.reader.read(min(left, 65536))
            if not piece:
                raise ConnectionError
            left -= len(piece)
            yield piece

    async def read_body(self):
        return sum([len(piece) async for piece in self.body()])


def seconds(milliseconds):
    return int(milliseconds) / 1000


async def wait(x, milliseconds):
    await asyncio.sleep(seconds(milliseconds))
    x.fixed(b"waited")


async def events(x, milliseconds):
    x.head("200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked")
    while not x.writer.is_closing():
        x.chunk(b"data: tick\n\n")
        await x.writer.drain()
        await asyncio.sleep(seconds(milliseconds))


async def once(x):
    x.head("200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked")
    x.chunk(b"data: once\n\n")
    await x.reader.read(1)


async def drip(x, milliseconds):
    x.head("200 OK", f"Content-Length: {LONG}")
    while not x.writer.is_closing():
        x.writer.write(KIB)
        await x.writer.drain()
        await asyncio.sleep(seconds(milliseconds))


async def flow(x):
    x.head("200 OK", f"Content-Length: {LONG}")
    for _ in range(LONG // 65536):
        x.writer.write(KIB * 64)
        await x.writer.drain()


async def chunked(x, *trailers):
    x.head("200 OK", "Transfer-Encoding: chunked")
    for _ in range(3):
        x.chunk(KIB)
    x.writer.write("\r\n".join(["0", *trailers, "", ""]).encode())


async def early(x):
    x.head("200 OK", "Transfer-Encoding: chunked")
    async for piece in x.body():
        x.chunk(b"%d\n" % len(piece))
    x.chunk(b"")


async def upload(x):
    if x.fields.get("expect") == "100-continue":
        x.head("100 Continue")
    x.fixed(b"%d" % await x.read_body())


async def echo(x, milliseconds):
    await asyncio.sleep(seconds(milliseconds))
    await upload(x)


async def surplus(x):
    """An old mistake of servers: a line end behind the body."""
    x.fixed(b"small")
    x.writer.write(b"\r\n")


async def lingering(x):
    """When the client has ended its side, so does the server, after a while."""
    x.fixed(b"small")
    x.keeps = not await x.reader.read()
    await asyncio.sleep(0.3)


async def end(x):
    x.keeps = False
    x.head("200 OK")
    x.writer.write(PAGE)


async def hints(x):
    x.head("103 Early Hints", "Link: </page>; rel=preload")
    x.fixed(b"hinted")


async def moved(x):
    x.fixed(b"moved", "302 Found", "Location: /small")


async def same(x):
    x.head("304 Not Modified", 'ETag: "1"', "Content-Length: 5")


async def none(x):
    x.head("204 No Content")


async def websocket(x, milliseconds):
    key = x.fields["sec-websocket-key"].encode()
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
    x.head("101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
           f"Sec-WebSocket-Accept: {accept}")
    x.keeps = False
    reading = asyncio.ensure_future(echo_frames(x))
    while int(milliseconds) and not reading.done():
        await asyncio.wait([reading], timeout=seconds(milliseconds))
        x.writer.write(b"\x89\x00")
    await reading


async def echo_frames(x):
    """Short masked frames; all but pongs and closes come back, unmasked."""
    while True:
        first, length = await x.reader.readexactly(2)
        mask = await x.reader.readexactly(4)
        data = await x.reader.readexactly(length & 127)
        data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
        if first == 0x88:
            return
        if first != 0x8a:
            x.writer.write(bytes([first, len(data)]) + data)


async def tunnel(x):
    host, port = x.target.split(":")
    onward = await asyncio.open_connection(host, int(port))
    x.head("200 Connection established")
    x.keeps = False
    await join(x.reader, x.writer, *onward)


async def join(reader, writer, onward_reader, onward):
    try:
        await asyncio.gather(pass_on(reader, onward), pass_on(onward_reader, writer))
    finally:
        onward.close()


async def pass_on(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def socks(reader, writer):
    """SOCKS5 without authentication, to an IPv4 address (RFC 1928)."""
    count, = await reader.readexactly(1)
    await reader.readexactly(count)
    writer.write(b"\5\0")
    _, _, _, _, *address = await reader.readexactly(10)
    onward = await asyncio.open_connection(".".join(map(str, address[:4])),
                                           address[4] << 8 | address[5])
    writer.write(b"\5\0\0\1\0\0\0\0\0\0")
    await join(reader, writer, *onward)


ROUTES = {"wait": wait, "events": events, "once": once, "drip": drip, "flow": flow, "end": end,
          "chunked": chunked, "trailers": lambda x: chunked(x, "Checksum: 1", "Other: 2"),
          "early": early, "upload": upload, "echo": echo, "hints": hints, "moved": moved,
          "same": same, "none": none, "surplus": surplus, "lingering": lingering, "ws": websocket}


async def answer(x):
    if x.method == "CONNECT":
        return await tunnel(x)
    if x.path in FIXED:
        await x.read_body()
        x.keeps = x.keeps and x.path != "/closing"
        return x.fixed(FIXED[x.path], STATUS.get(x.path, "200 OK"))
    _, name, *arguments = x.path.split("/")
    return await ROUTES[name](x, *arguments)


async def serve(reader, writer):
    try:
        first = await reader.readexactly(1)
        if first == b"\5":
            await socks(reader, writer)
        while first != b"\5":
            x = Exchange(first + await reader.readuntil(b"\r\n\r\n"), reader, writer)
            first = b""
            await answer(x)
            await writer.drain()
            if not x.keeps:
                break
    except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
        pass  # the client has gone
    finally:
        writer.close()


async def main(host, port, tls_port, certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    await asyncio.start_server(serve, host, int(port), backlog=512)
    await asyncio.start_server(serve, host, int(tls_port), ssl=context, backlog=512)
    print("serving", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
