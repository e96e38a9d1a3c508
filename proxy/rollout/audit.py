"""AuditEntry: one line of the audit log: a change that somebody made, or was refused.

Entries are never changed. Who may make changes and where entries are kept is not known here.
"""

from typing import Literal

from msgspec import Struct


class AuditEntry(Struct, frozen=True, kw_only=True):
    """Who did what to which part of the routing, from where and why, and what came of it."""

    at: float  # seconds since the epoch
    who: str  # the token's name; "file", "signal" where nobody called
    origin: str  # the caller's address, or what called
    action: str  # split, rollback, reload, ...
    target: str  # the route, or what else was to change
    why: str
    result: Literal["done", "refused", "failed"]  # refused: nothing changed; failed: see detail
    detail: str = ""  # what the caller was told
    version: int | None = None  # what came of it
    number: int | None = None  # its place in the log, from 1; None: not kept yet
