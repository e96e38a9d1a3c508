"""Versions, what differs between them, and the audit log, as they are shown."""

from typing import Literal

from pydantic import AwareDatetime, Field, JsonValue

from proxy.controlplane.admin.models.forms import Answer

Source = Literal["file", "cli", "api", "rollback", "ramp"]


class VersionLine(Answer):
    """One routing that is or was in force, without its contents."""

    number: int
    """Its number: 1, 2, ... without gaps."""
    parent: int | None
    """The version that was in force before; null: none."""
    digest: str
    """Its contents' SHA-256 digest, hexadecimal."""
    source: Source
    """Where it came from."""
    who: str
    """Who put it in force."""
    why: str
    """Why, in their words."""
    at: AwareDatetime
    """When."""
    revision: int | None
    """The file's `revision`, where it has one."""
    restored: int | None
    """A rollback's: the version whose contents these are."""
    undone: int | None
    """A rollback's: the version that it left."""
    route: str | None
    """A rollback's: the one route that it took back; null: all."""
    in_force: bool
    """Whether it is the one in force."""


class WholeVersion(VersionLine):
    """One routing with its contents."""

    contents: dict[str, JsonValue]
    """The routing as the file would say it."""


class Versions(Answer):
    """Versions, the newest first."""

    versions: list[VersionLine]
    """This page."""
    before: int | None
    """What to ask for `before` to have the next page; null: this is the last."""


class Difference(Answer):
    """One place at which two versions differ."""

    path: list[str]
    """Where, like `["routes", "support", "split", "base"]`."""
    before: JsonValue = None
    """What stood there; absent: nothing."""
    after: JsonValue = None
    """What stands there; absent: nothing."""


class Diff(Answer):
    """What differs between two versions."""

    earlier: int = Field(serialization_alias="from", validation_alias="from")
    """The version compared with."""
    later: int = Field(serialization_alias="to", validation_alias="to")
    """The version compared."""
    differences: list[Difference]
    """The places, in order; empty: they say the same."""


class AuditLine(Answer):
    """One change that was asked for, done or not."""

    number: int
    """Its place in the log, from 1."""
    at: AwareDatetime
    """When."""
    who: str
    """The token's name, or `-` where there was none that is known."""
    origin: str
    """The address that it came from."""
    action: str
    """What was asked for, like `split` or `rollback`."""
    target: str
    """What of, like `support` or `support/ft-v2`."""
    why: str
    """Why, in their words."""
    result: Literal["done", "refused", "failed"]
    """What came of it."""
    detail: str
    """More of that, for people."""
    version: int | None
    """The version that it made; null: none."""


class Audit(Answer):
    """The audit log, the newest first."""

    entries: list[AuditLine]
    """This page."""
    before: int | None
    """What to ask for `before` to have the next page; null: this is the last."""
