"""Versions and audit entries to keep, and what a good store must hold."""

from hashlib import sha256
from typing import Any

from proxy.rollout import AuditEntry, Source, Version
from proxy.store import Store


def version(number: int, **parts: Any) -> Version:
    contents = parts.pop("contents", b'{"routes":{}}')
    said: dict[str, Any] = {
        "parent": number - 1 or None,
        "digest": sha256(contents).hexdigest(),
        "contents": contents,
        "source": Source.CLI,
        "who": "local",
        "why": "",
        "at": 1_700_000_000.25,
    }
    return Version(number=number, **said | parts)


def entry(**parts: Any) -> AuditEntry:
    said: dict[str, Any] = {
        "at": 1_700_000_000.25,
        "who": "local",
        "origin": "127.0.0.1",
        "action": "split",
        "target": "support",
        "why": "more of it",
        "result": "done",
    }
    return AuditEntry(**said | parts)


def numbers(store: Store) -> list[int]:
    """Return the numbers of all versions, oldest first; each must be whole."""
    found = store.versions(limit=1_000_000)[::-1]
    torn = [each.number for each in found if sha256(each.contents).hexdigest() != each.digest]
    assert torn == []
    return [each.number for each in found]
