"""Reads poolguard's text report. Tolerant in spacing; strict in what a line is.

    report = parse(text)     the last report of the text, which may hold several
"""
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

HEADER = re.compile(r"==(\d+)==\s+poolguard:\s+(.+?):\s+(\d+) (?:open connections?|"
                    r"connections? open when the process (?:ended|started another program)), (\d+) leaked")
GROUP = re.compile(r"==\d+==\s+(LEAK|RISK|WASTE|OPEN|INHERITED|INBOUND|RETRACTED)\s*([\w-]*):\s*(.*)")
COUNT = re.compile(r"(\d+) (connection|TLS object)s?(?: of (?:a )?closed connections?)?"
                   r"(?: (?:to|from) (\S+?))?(?:,|$)")
FRAME = re.compile(r"#(\d+)\s+(.*?)(?:\s*\(([^()]*)\))?$")
CONNECTION = re.compile(r"fds?\s+([\d,\s]*?\d)(?:,\.\.\.)?\s+(\S+)\s+(?:->|<-)\s+(\S+)\s+(\S+)"
                        r"\s*(.*)")
SECTION = re.compile(r"(opened|closed again|closed|last used|last closed|TLS object freed|socket closed|"
                     r"connections|to do):\s*(.*)")
TLS_DONE = re.compile(r"TLSv\d")
TLS_BEGUN = re.compile(r"TLS handshake begun (\S+) ago, not finished$")
TLS_FIELD = re.compile(r"server name (?P<server_name>\S+)|ALPN (?P<alpn>\S+)|"
                       r"(?P<handshake>full|resumed) handshake(?: in \S+)?|"
                       r"data in (?P<data_in>\d+) B|data out (?P<data_out>\d+) B|"
                       r"pending (?P<pending>\d+) B|close_notify (?P<close_notify>[a-z, ]+)|"
                       r"freed (?P<freed>\S+) ago")
ALIAS = re.compile(r"(\S+) \((\S+)\)$")
OFFSET = re.compile(r"\+0x[0-9a-f]+$")
SUMMARY = re.compile(r"SUMMARY: poolguard:")
SUMMARY_LINE = re.compile(r"^SUMMARY: poolguard:.*\n", re.M)
LEAKED_OBJECTS = re.compile(r"(\d+) leaked TLS objects?")


@dataclass
class Frame:
    function: str  # "" when unknown
    module: str

    def matches(self, pattern):
        """pattern is "function@module", both globs; several, with | between."""
        return any(fnmatchcase(self.function, function) and fnmatchcase(self.module, module)
                   for function, module in (p.split("@") for p in pattern.split("|")))


@dataclass
class Tls:
    """The line below a connection; what it leaves out is None."""
    version: str = None
    cipher: str = None
    begun: str = None  # how long ago, of a handshake that has not finished
    server_name: str = None
    alpn: str = None
    handshake: str = None  # "full" or "resumed"
    data_in: int = None
    data_out: int = None
    pending: int = None
    close_notify: str = None
    freed: str = None  # how long ago


@dataclass
class Connection:
    fds: frozenset
    local: str
    remote: str
    state: str
    rest: str
    tls: Tls = None
    http: str = None  # the line on it


@dataclass
class Group:
    kind: str
    cls: str
    title: str
    count: int = 0  # of connections
    objects: int = 0  # of TLS objects that outlived their connections
    host: str = ""
    evidence: list = field(default_factory=list)
    stacks: dict = field(default_factory=dict)  # section -> its frames
    connections: list = field(default_factory=list)
    todo: str = ""

    @property
    def frames(self):
        """Of the stack that opened it."""
        return self.stacks.get("opened", [])


@dataclass
class Report:
    text: str
    pid: int = 0
    program: str = ""
    open: int = 0
    leaked: int = 0
    hosts: dict = field(default_factory=dict)  # host -> {column: text}
    aliases: dict = field(default_factory=dict)  # host -> the name that its requests said
    groups: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    summary: str = ""

    def of(self, kind, cls=None):
        return [g for g in self.groups if g.kind == kind and cls in (None, g.cls)]

    @property
    def leaked_objects(self):
        """TLS objects, by the summary: `leaked` counts connections only."""
        found = LEAKED_OBJECTS.search(self.summary)
        return int(found.group(1)) if found else 0

    @property
    def connections(self):
        """Every connection once, though several groups may name it."""
        listed = {(c.local, c.remote): c for g in self.groups for c in g.connections}
        return [listed[key] for key in sorted(listed)]


def parse_frame(line):
    """"name+offset (module+offset)" or "name file:line (module)"; no name when it is an address."""
    _, name, place = FRAME.match(line).groups(default="")
    function = OFFSET.sub("", name) if OFFSET.search(name) else name.split(" ")[0]
    if re.fullmatch(r"0x[0-9a-f]+|\?+", function):
        function = ""
    return Frame(function, OFFSET.sub("", place.strip()))


def parse_connection(line):
    m = CONNECTION.match(line)
    if not m:
        raise ValueError(f"not a connection: {line!r}")
    fds = frozenset(int(fd) for fd in re.split(r"[,\s]+", m.group(1)))
    return Connection(fds, m.group(2), m.group(3), m.group(4), m.group(5))


def parse_tls(line):
    """The fields have two blanks between them; version and cipher stand first and have no name."""
    first, *fields = re.split(r"\s{2,}", line)
    if begun := TLS_BEGUN.match(first):
        tls = Tls(begun=begun.group(1))
    elif TLS_DONE.match(first) and fields:
        tls = Tls(version=first, cipher=fields.pop(0))
    else:
        raise ValueError(f"neither a connection nor its TLS: {line!r}")
    for text in fields:
        set_tls_field(tls, text)
    return tls


def set_tls_field(tls, text):
    m = TLS_FIELD.fullmatch(text)
    if not m or getattr(tls, m.lastgroup) is not None:
        raise ValueError(f"not a field of TLS, or said twice: {text!r}")
    value = m.group(m.lastgroup)
    setattr(tls, m.lastgroup, int(value) if Tls.__annotations__[m.lastgroup] is int else value)


def parse_group(kind, cls, title):
    group = Group(kind, cls, title)
    m = COUNT.match(title)
    if m:
        group.host = m.group(3) or ""
        setattr(group, "count" if m.group(2) == "connection" else "objects", int(m.group(1)))
    return group


class Parser:
    """Line by line; `section` is the part of the group that we are in."""

    def __init__(self, text):
        self.report = Report(text)
        self.group, self.section, self.columns = None, "evidence", None
        for line in text.splitlines():
            self.take(line.strip())

    def take(self, line):
        if header := HEADER.match(line):
            r = self.report
            r.pid, r.program = int(header.group(1)), header.group(2)
            r.open, r.leaked = int(header.group(3)), int(header.group(4))
        elif group := GROUP.match(line):
            self.group, self.section, self.columns = parse_group(*group.groups()), "evidence", None
            self.report.groups.append(self.group)
        elif SUMMARY.match(line):
            self.report.summary = line
        elif not line:
            self.group = self.columns = None
        elif self.group:
            self.take_in_group(line)
        else:
            self.take_outside(line)

    def take_in_group(self, line):
        if section := SECTION.match(line):
            self.section = section.group(1)
            self.group.todo = section.group(2) if self.section == "to do" else self.group.todo
        elif self.section == "evidence":
            self.group.evidence.append(line)
        elif line.startswith("#"):
            self.group.stacks.setdefault(self.section, []).append(parse_frame(line))
        elif self.section == "connections":
            self.take_connection(line)

    def take_connection(self, line):
        listed = self.group.connections
        if line.startswith("HTTP: "):
            assert listed[-1].http is None, line
            listed[-1].http = line.removeprefix("HTTP: ")
        elif not line.startswith("TLS"):
            listed.append(parse_connection(line))
        elif listed and listed[-1].tls is None:
            listed[-1].tls = parse_tls(line)
        else:
            raise ValueError(f"TLS of no connection, or a second time: {line!r}")

    def take_outside(self, line):
        words = re.split(r"\s{2,}", line)
        if words[0] == "host" and len(words) > 1:
            self.columns = words
        elif self.columns and len(words) == len(self.columns):
            self.take_host(words)
        else:
            self.report.notes.append(line)

    def take_host(self, words):
        host = words[0]
        if alias := ALIAS.match(host):
            host = alias.group(1)
            self.report.aliases[host] = alias.group(2)
        self.report.hosts[host] = dict(zip(self.columns[1:], words[1:]))


def parse(text):
    """The last complete report of a text; None when there is none."""
    starts = [m.start() for m in HEADER.finditer(text)] + [len(text)]
    for start, end in reversed(list(zip(starts, starts[1:]))):
        if SUMMARY_LINE.search(text, start, end):  # else it is still being written
            return Parser(text[start:end]).report
    return None
