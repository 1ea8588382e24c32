"""HTTP/1.x messages, made at random from what is common, rare and wrong; the same for one seed."""
import random

FIELDS = [b"Server: x/1.0", b"X-Empty:", b"Set-Cookie: a=b; c=\"d\"", b"Via: 1.1 \xe9",
          b"X-Folded: a\r\n b", b"x:y", b"Date: Mon, 05 Jan 2026 10:00:00 GMT", b"Upgrade: x",
          b"Contents: 5", b"Transfer: chunked"]
CONNECTIONS = [b"Connection: close", b"Connection: keep-alive", b"CONNECTION: x,Close", b"connection: upgrade"]
LENGTHS = [b"Content-Length: %d", b"content-length:%d ", b"Content-Length: %d, %d",
           b"Content-Length: %d\r\nContent-Length: %d", b"Content-Length:\r\n\t%d"]
CODINGS = [b"Transfer-Encoding: chunked", b"transfer-encoding:Chunked "]
WRONG_LENGTHS = [b"", b"-1", b"+1", b"1 1", b"1,2", b"1,", b"0x1", b"1\r\nContent-Length: 2",
                 b"99999999999999999999999", b"01, 1"]
WRONG_CODINGS = [b"gzip", b"chunked, gzip", b"gzip, chunked", b"chunked, chunked", b"identity",
                 b"chunked;a=b", b"", b"chunked\r\nTransfer-Encoding: chunked"]
EXTENSIONS = [b""] * 20 + [b";a", b";a=b", b";a=\"b;c\"", b"  ", b" ;a"]
METHODS = [b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH", b"REPORT", b"get"]
TARGETS = [b"/", b"/a/b?c=d", b"http://h/x", b"*", b"/%7Ea", b"/a;b,c@d"]
STATUSES = [200] * 12 + [201, 204, 206, 205, 301, 304, 400, 404, 500, 503, 599, 700]
INTERIM = [100, 102, 103, 199]
SPOILERS = [b"\r", b"\n", b"\r\n", b" ", b"\t", b"\0", b":", b",", b";", b"0", b"1", b"a", b"HTTP/1.1",
            b"\xff", b"\x0b", b"\r\n ", b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"]


class Corpus(random.Random):
    """Streams of one direction."""

    def chance(self, of):
        return self.randrange(of) == 0

    def content(self):
        return bytes(self.choices(b"ab\r\n0:\xff", k=self.choice((0, 1, 2, 3, 7, 30))))

    def chunked(self, content):
        out, at = b"", 0
        while at < len(content):
            n = self.randint(1, len(content) - at)
            size = self.choice((b"%x", b"%X", b"0%x")) % n
            out += size + self.choice(EXTENSIONS) + b"\r\n" + content[at:at + n] + b"\r\n"
            at += n
        trailers = b"".join(self.choice(FIELDS) + b"\r\n" for _ in range(self.randrange(2)))
        return out + self.choice((b"0", b"00")) + b"\r\n" + trailers + b"\r\n"

    def framed(self):
        """Fields that frame a content, and the content framed; now and then wrong."""
        content = self.content()
        if self.chance(12):
            return [b"Content-Length: " + self.choice(WRONG_LENGTHS)], content
        if self.chance(12):
            return [b"Transfer-Encoding: " + self.choice(WRONG_CODINGS)], self.chunked(content)
        if self.chance(30):
            return [self.choice(CODINGS), b"Content-Length: 3"], self.chunked(content)
        if self.chance(2):
            form = self.choice(LENGTHS)
            return [form % ((len(content),) * form.count(b"%"))], content
        return [self.choice(CODINGS)], self.chunked(content)

    def head(self, start, fields):
        fields = fields + self.sample(FIELDS, self.randrange(4))
        if self.chance(6):
            fields.append(self.choice(CONNECTIONS))
        self.shuffle(fields)
        end = b"\n" if self.chance(15) else b"\r\n"
        return start + end + b"".join(f + end for f in fields) + end

    def version(self):
        return b"HTTP/1.0" if self.chance(10) else b"HTTP/1.1"

    def request(self):
        line = b" ".join((self.choice(METHODS), self.choice(TARGETS), self.version()))
        fields, content = self.framed() if self.chance(2) else ([], b"")
        return self.head(line, [b"Host: a", *fields]) + content

    def response(self, method):
        interim = b""
        while self.chance(8):
            interim += self.head(b"HTTP/1.1 %d Interim" % self.choice(INTERIM), [])
        status = self.choice(STATUSES)
        line = self.version() + b" %d" % status + self.choice((b" OK", b" ", b"", b" \xe9 (x)"))
        fields, content = self.framed() if not self.chance(8) else ([], self.content())
        if method == b"HEAD" or status in (204, 304):
            content = b""
        return interim + self.head(line, fields) + content

    def spoilt(self, stream):
        """Now and then something is cut out, doubled, or put in."""
        while self.chance(3):
            at, n = self.randrange(len(stream) + 1), self.choice((1, 1, 2, 5))
            stream = self.choice((
                stream[:at] + stream[at + n:], stream[:at] + stream[at:at + n] + stream[at:],
                stream[:at] + self.choice(SPOILERS) + stream[at:],
                stream[:at] + self.choice(SPOILERS) + stream[at + n:], stream[:at]))
        return stream or b"H"

    def requests(self):
        return self.spoilt(b"".join(self.request() for _ in range(self.randint(1, 3))))

    def responses(self):
        """(methods that were asked, the stream, whether it ends)"""
        methods = [self.choice(METHODS) for _ in range(self.randint(1, 3))]
        stream = self.spoilt(b"".join(self.response(m) for m in methods))
        return methods, stream, self.chance(2)
