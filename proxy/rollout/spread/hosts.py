"""Hosts: each as it last told of itself, and what that says of a version.

A host is one turnout, its workers included, of those that share a store. It knows neither how
they tell each other nor what time it is: how long ago a host was seen comes with it.
"""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

SILENT_SECONDS = 10.0  # it tells of itself every few seconds


class Host(Struct, frozen=True, kw_only=True):
    """One host, as it last told of itself."""

    name: str
    started_at: float  # seconds since the epoch, by its own clock
    version: int  # in force
    workers: int
    in_force: int  # on so many of its workers
    release: str  # of turnout
    trouble: str = ""  # what keeps it from the newest version, or else is wrong with it
    unseen: float = 0.0  # seconds since it told that


class State(StrEnum):
    """How a host stands to a version."""

    IN_FORCE = "in_force"
    BEHIND = "behind"
    SILENT = "silent"  # not heard of lately: it may serve on with what it had


class Late(Struct, frozen=True, kw_only=True):
    """A host on which a version is not in force, and why."""

    name: str
    why: str


class Reach(Struct, frozen=True, kw_only=True):
    """How many hosts a version is in force on, of how many that are there."""

    hosts: int
    of: int
    milliseconds: float  # from the last worker of this host to the last host
    late: tuple[Late, ...] = ()


def state(host: Host, version: int) -> State:
    """Return how `host` stands to `version`; a newer one in force counts, too."""
    if host.unseen > SILENT_SECONDS:
        return State.SILENT
    there = host.version > version or (host.version == version and host.in_force == host.workers)
    return State.IN_FORCE if there else State.BEHIND


def why_late(host: Host, version: int) -> str:
    """Return, for people, why `version` is not in force on `host`; empty: it is."""
    match state(host, version):
        case State.SILENT:
            return f"not seen for {ago(host.unseen)}; version {host.version} was in force there"
        case State.BEHIND:
            return host.trouble or f"version {host.version} is in force there"
        case _:
            return ""


def reach(others: Iterable[Host], version: int, milliseconds: float) -> Reach:
    """Return how far `version` came, which is in force here; silent hosts are not waited for."""
    known = list(others)
    late = [(each, why_late(each, version)) for each in known]
    return Reach(
        hosts=1 + sum(not why for _, why in late),
        of=1 + len(known),
        milliseconds=milliseconds,
        late=tuple(Late(name=each.name, why=why) for each, why in late if why),
    )


def ago(seconds: float) -> str:
    """Return a span of time in its largest unit."""
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"
