"""The text report, made from the JSON one: what can be made so is in it.

    text_of(found)     as poolguard would have written it, to the byte
"""
TITLES = {"opened": "opened", "freed": "TLS object freed", "closed": "closed",
          "closed_again": "closed again", "asked": "last asked for", "last_used": "last used"}
OF_PLACES = {"closed-undrained", "churn", "server-idle-mismatch"}
AFTER = {"tls-handshake", "open-at-exit"}  # told after what became of others
FDS_SHOWN, HOSTS_SHOWN, HOST_WIDTH = 16, 50, 24


def duration(ms):
    ms = int(ms)
    s = ms // 1000
    if ms < 1000:
        return f"{ms}ms"
    if s < 10 and ms // 100 % 10:
        return f"{s}.{ms // 100 % 10}s"
    if s < 60:
        return f"{s}s"
    if s < 3600:
        return f"{s // 60}m{s % 60:02}s"
    return f"{s // 3600}h{s // 60 % 60:02}m" if s < 86400 else f"{s // 86400}d{s // 3600 % 24:02}h"


def size(n):
    units, tenths = ["B", "KiB", "MiB", "GiB", "TiB"], ""
    while n >= 1024:
        tenths = f".{n % 1024 * 10 // 1024}"
        n, units = n // 1024, units[1:]
    return f"{n}{tenths} {units[0]}"


def count(n, noun):
    return f"{n} {noun}{'' if n == 1 else 's'}"


def host(at):
    name = f"[{at['host']}]" if ":" in at["host"] else at["host"]
    return f"{name}:{at['port']}"


def column(n, width):
    text = str(n)
    return text.rjust(width) if len(text) + 2 <= width else "  " + text


# --- head ----------------------------------------------------------------------------------------

def head(found):
    ends = {"running": "", "ended": " open when the process ended",
            "replaced": " open when the process started another program"}
    noun = "open connection" if found["process"] == "running" else "connection"
    return (f"=={found['pid']}== poolguard: {found['program']}: {count(found['open'], noun)}"
            f"{ends[found['process']]}, {found['leaked']} leaked")


def host_row(h):
    name = host(h) + (f" ({h['alias']})" if "alias" in h else "")
    return name.ljust(HOST_WIDTH if len(name) < HOST_WIDTH else len(name) + 1) + "".join(
        column(h[key], width) for key, width in (
            ("open", 6), ("in_use", 8), ("idle", 6), ("leaked", 8), ("opened", 8), ("failed", 8)))


def hosts(found):
    rows = found["hosts"]
    if rows:
        yield "host".ljust(HOST_WIDTH) + "  open  in use  idle  leaked  opened  failed"
        yield from map(host_row, rows[:HOSTS_SHOWN])
        if len(rows) > HOSTS_SHOWN:
            yield f"and {count(len(rows) - HOSTS_SHOWN, 'more host')}"


# --- connections ---------------------------------------------------------------------------------

def tls_line(t):
    words = []
    if "resumed" in t:
        words += [t.get("version", "TLS"), t.get("cipher")]
        words += [f"server name {t['server_name']}"] if "server_name" in t else []
        words += [f"ALPN {t['alpn']}"] if "alpn" in t else []
        took = f" in {duration(t['handshake_ms'])}" if "handshake_ms" in t else ""
        words += [("resumed" if t["resumed"] else "full") + " handshake" + took]
        words += [f"data {way} {t['data_' + way]} B" for way in ("in", "out") if "data_" + way in t]
        words += [f"pending {t['pending']} B"] if t["pending"] else []
    else:
        begun = duration(t["handshake_begun_ms_ago"])
        words += [f"TLS handshake begun {begun} ago, not finished"]
        words += [f"server name {t['server_name']}"] if "server_name" in t else []
    notified = [w for w in ("sent", "received") if t["close_notify_" + w]]
    words += ["close_notify " + ", ".join(notified)] if notified else []
    words += [f"freed {duration(t['freed_ms_ago'])} ago"] if "freed_ms_ago" in t else []
    return "      " + "  ".join(filter(None, words))


def body(h):
    if h.get("framing", "none") == "none":
        return ""
    whole = h["body_read"] + h.get("body_left", 0)
    partly = h["framing"] == "length" and h["phase"] != "complete"
    return f", {size(h['body_read'])}{f' of {size(whole)}' if partly else ''} read"


def http_line(h, requests):
    if h["phase"] == "h2":
        return "      HTTP: h2"
    words = h.get("method", "-") + (f" {h['path']}" if "path" in h else "")
    words += f" -> {h['status']}" if "status" in h else ""
    words += f", {h['phase']}" + (f" ({h['why']})" if "why" in h else "")
    words += body(h) if h["phase"] in ("response-body", "complete") else ""
    return f"      HTTP: {words}, {count(requests, 'request')}"


def connection(c, cls):
    fds = ",".join(map(str, c["fds"])) + (",..." if "fd_count" in c else "") or "-"
    words = [f"fd {fds}", f"{c.get('local', '-')} -> {c.get('remote', '-')}", c["state"],
             f"age {duration(c['age_ms'])}", f"idle {duration(c['idle_ms'])}",
             f"in {size(c['bytes_in'])} in {count(c['reads'], 'read')}",
             f"out {size(c['bytes_out'])} in {count(c['writes'], 'write')}"]
    words += [f"unread {size(c['unread'])}"] if c["unread"] else []
    words += ["shut for writing"] if "shut-write" in c["flags"] else []
    words += ["sent to another process"] if "passed" in c["flags"] else []
    words += [f"thread {c['thread']}"]
    if cls == "no-timeout":
        words += [f"blocked: thread {c['blocked']['thread']} in {c['blocked']['call']}()"]
    yield "    " + "  ".join(words)
    if "tls" in c:
        yield tls_line(c["tls"])
    if "http" in c:
        yield http_line(c["http"], c.get("requests"))


# --- groups --------------------------------------------------------------------------------------

def frame(number, f):
    if "module" not in f:
        return f"    #{number} {f['address']:#x} (code of no file, as made at run time)"
    name = f"{f['function']}+{f['function_offset']:#x}" if "function" in f else f"{f['offset']:#x}"
    return f"    #{number} {name} ({f['module']}+{f['offset']:#x})"


def stacks(group, known):
    for name, title in TITLES.items():
        if name in group:
            if name == "closed" and group["class"] == "tls-split":
                title = "socket closed"
            elif name == "closed" and group["class"] in OF_PLACES:
                title = "last closed"
            yield f"  {title}:"
            nth = f" {group[name + '_nth']} of {group[name + '_of']}" if name + "_nth" in group else ""
            yield f"    #0 {group[name + '_call']}{nth}"
            yield from (frame(i, f) for i, f in enumerate(known[group[name]]["frames"], 1))


def what(group):
    """The title behind its class."""
    to = f" to {host(group)}" if "host" in group else ""
    if group["class"] == "fd-exhausted":
        return group["evidence"]
    if group["class"] == "double-close":
        whose = f", a connection to {host(group)}" if "host" in group else ""
        return (f"fd {group['fd']}{whose}, closed twice; {count(group['count'], 'time')}, "
                f"last {duration(group['last_ms_ago'])} ago")
    of = {"TLS object": [" of closed connections", " of a closed connection"]}
    of = of.get(group["unit"], ["", ""])[group["count"] == 1]
    when = (f"oldest {duration(group['oldest_ms'])}" if "oldest_ms" in group else
            f"last {duration(group['last_ms_ago'])} ago")
    return f"{count(group['count'], group['unit'])}{of}{to}, {when}"


def fds(members):
    """The first few; dots when there are connections behind them."""
    shown = []
    for i, c in enumerate(members):
        shown += c["fds"]
        if len(shown) >= FDS_SHOWN:
            rest = i + 1 < len(members)
            return " ".join(map(str, shown[:FDS_SHOWN])) + (" ..." if rest else "")
    return " ".join(map(str, shown))


def title(group):
    if group["suppressed"]:
        return f"SUPPRESSED {group['class']}"
    plain = group["kind"] == "plain"
    return group["class"].upper() if plain else f"{group['kind'].upper()} {group['class']}"


def one_group(found, group, known, connections):
    yield ""
    yield f"=={found['pid']}== {title(group)}: {what(group)}"
    members = [connections[i] for i in group.get("connections", [])]
    if "evidence" in group and group["class"] != "fd-exhausted":
        yield f"  {group['evidence']}" + (f"; fds {fds(members)}" if members else "")
    yield from stacks(group, known)
    if members:
        yield "  connections:"
        for member in members:
            yield from connection(member, group["class"])
    if "todo" in group and not group["suppressed"]:
        yield f"  to do: {group['todo']}"


def retraction(found, r, known):
    to = f" to {host(r)}" if "host" in r else ""
    yield ""
    yield (f"=={found['pid']}== RETRACTED {r['class']}: {count(r['count'], 'connection')}{to}, "
           f"last {duration(r['last_ms_ago'])} ago")
    yield f"  {r['evidence']}"
    yield from stacks(r, known)


def summary(found):
    def leaked(unit, noun):
        groups = [g for g in found["groups"]
                  if g["kind"] == "leak" and not g["suppressed"] and g["unit"] == unit]
        n = sum(g["count"] for g in groups)
        return [f"{count(n, noun)} in {count(len(groups), 'place')}"] if n else []

    leaks = leaked("connection", "leaked connection") + leaked("TLS object", "leaked TLS object")
    rest = f"no leaks, {count(found['open'], 'open connection')}"
    return "SUMMARY: poolguard: " + (", ".join(leaks) or rest)


def lines(found):
    known = {stack["id"]: stack for stack in found["stacks"]}
    connections = {c["id"]: c for c in found["connections"]}
    yield head(found)
    yield from hosts(found)
    faults = [g for g in found["groups"] if g["kind"] != "plain" and g["class"] not in AFTER]
    for group in faults:
        yield from one_group(found, group, known, connections)
    for each in found["retracted"]:
        yield from retraction(found, each, known)
    for group in found["groups"]:
        if group not in faults:
            yield from one_group(found, group, known, connections)
    for note in found["notes"]:
        yield from ("", note)
    yield from ("", summary(found))


def text_of(found):
    return "".join(line + "\n" for line in lines(found))
