"""The Version: a routing that was in force once, kept for ever under its number.

A version is never rewritten: going back publishes the contents of an earlier one as a new one.
It knows neither where versions are kept (store) nor how one gets in force (publishing).
"""

from enum import StrEnum

from msgspec import Struct


class Source(StrEnum):
    """Where a change came from."""

    FILE = "file"
    CLI = "cli"
    API = "api"
    ROLLBACK = "rollback"
    RAMP = "ramp"


class Version(Struct, frozen=True, kw_only=True):
    """One routing: what it was, who put it in force, and why."""

    number: int  # from 1, without gaps
    parent: int | None  # the version that was in force before; None: the first
    digest: str  # hex SHA-256 of `contents`
    contents: bytes  # canonical JSON of the routing as the file would say it
    source: Source
    who: str
    why: str
    at: float  # seconds since the epoch
    revision: int | None = None  # the file's own number, where it has one
    restored: int | None = None  # a rollback's: whose contents these are
    undone: int | None = None  # a rollback's: the version that it left
    route: str | None = None  # a rollback's: the one route that it took back; None: all
