"""Reads poolguard's JSON reports: each is held against the schema, and against itself.

    for found in reports(text): ...
"""
import json
from pathlib import Path

import jsonschema

SCHEMA = Path(__file__).resolve().parents[2] / "shim/report/report.schema.json"


def strict(schema):
    """The schema without room for members that it does not name."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {"additionalProperties": False} if schema.get("type") == "object" else {}
    return {**{name: strict(value) for name, value in schema.items()}, **closed}


LOOSE = json.loads(SCHEMA.read_text())
jsonschema.Draft202012Validator.check_schema(LOOSE)
VALIDATOR = jsonschema.Draft202012Validator(strict(LOOSE))


def unique(pairs):
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), f"a member twice: {names}"
    return dict(pairs)


def fnv(*texts):
    value = 0xcbf29ce484222325
    for byte in b"".join(text.encode() + b"\0" for text in texts):
        value = (value ^ byte) * 0x100000001b3 % 2 ** 64
    return f"{value:016x}"


def stack_fingerprint(stack):
    return fnv(*(text for frame in stack["frames"] for text in (
        frame.get("module", "").rsplit("/", 1)[-1], frame.get("function", ""))))


STACKS = ["opened", "freed", "closed", "closed_again", "asked", "last_used"]
OF_PLACES = {"closed-undrained", "churn", "server-idle-mismatch"}


def group_fingerprint(group, stacks):
    """As libpoolguard(7) says."""
    port = group.get("port", 0)
    telling = STACKS[:1] if group["class"] in OF_PLACES else STACKS[:-2]
    shown = [stacks[group[name]]["fingerprint"] for name in telling if name in group]
    return fnv(group["class"], group["unit"], group.get("host", ""),
               "*" if port >= 32768 else str(port or ""), *shown)


def check(found):
    """What a schema can not say."""
    VALIDATOR.validate(found)
    stacks = {stack["id"]: stack for stack in found["stacks"]}
    connections = {connection["id"]: connection for connection in found["connections"]}
    assert len(stacks) == len(found["stacks"]) and len(connections) == len(found["connections"])
    for stack in stacks.values():
        if "\ufffd" not in str(stack):  # it is made of the bytes as they were
            assert stack["fingerprint"] == stack_fingerprint(stack)
    named, used = [], set()
    for group in found["groups"]:
        assert group["fingerprint"] == group_fingerprint(group, stacks)
        named += group.get("connections", [])
        used |= {group[name] for name in STACKS if name in group}
        if group["unit"] == "connection" and group["class"] not in OF_PLACES:
            assert group["count"] == len(group["connections"])
    for one in [*connections.values(), *found["retracted"]]:
        used |= {one[name] for name in ("opened", "last_used") if name in one}
    assert sorted(named) == sorted(connections), "each connection is in one group"
    assert used == set(stacks), "each stack is referred to"
    leaks = [g for g in found["groups"] if g["kind"] == "leak" and not g["suppressed"]]
    assert found["leaked"] == sum(g["count"] for g in leaks if g["unit"] == "connection")
    assert found["leaked_tls"] == sum(g["count"] for g in leaks if g["unit"] == "TLS object")


def reports(text):
    """All reports of a text, which may hold other lines."""
    found = []
    for line in text.splitlines():
        if line.startswith("{"):
            found.append(json.loads(line, object_pairs_hook=unique))
            check(found[-1])
    return found


def of(found, cls):
    return [group for group in found["groups"] if group["class"] == cls]
