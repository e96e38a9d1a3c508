"""The audit log's entries of what never came as far as publishing: no version, or a refusal.

Whoever has no token can be refused as often as they like; so that they can't push what others
did out of a log that keeps a number of entries, only so many are written down at a time, and the
next one that is says how many were not.
"""

from collections.abc import Callable
from typing import Protocol

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from proxy.config.source import shown
from proxy.controlplane.admin.entrance.door import NOBODY
from proxy.controlplane.admin.entrance.gate import name
from proxy.controlplane.admin.entrance.refusals import problems, told
from proxy.controlplane.publishing.change import Caller
from proxy.rollout.audit import AuditEntry

BURST = 60  # refused changes that are written down at once
EVERY_SECONDS = 10.0  # then one each of these
PARTS = ("route", "variant", "request_id", "silence")  # of a path, that say what was to change


class Records(Protocol):
    """Where the audit log is kept."""

    async def record(self, entry: AuditEntry) -> None:
        """Keep an entry; where that can't be, say so in the log."""
        ...


class RefusedChanges:
    """Writes down refused changes; `clock` is seconds since the epoch."""

    def __init__(self, records: Records, clock: Callable[[], float]) -> None:
        self._records = records
        self._clock = clock
        self._room = float(BURST)
        self._since = clock()
        self._left_out = 0

    async def refused(
        self, request: Request, caller: Caller, error: HTTPException | RequestValidationError
    ) -> None:
        """Write down that `caller` was refused, if there is room."""
        at = self._clock()
        if caller.name == NOBODY and not self._fits(at):
            self._left_out += 1
            return
        detail = reason(error)
        if self._left_out:
            detail += f" ({self._left_out} refused before it were not written down)"
            self._left_out = 0
        entry = AuditEntry(
            at=at,
            who=caller.name,
            origin=caller.origin,
            action=request.state.action,
            target=target(request),
            why="",
            result="refused",
            detail=detail,
        )
        await self._records.record(entry)

    def _fits(self, at: float) -> bool:
        """Return whether one more of nobody's changes is written down at `at`."""
        grown = max(0.0, at - self._since) / EVERY_SECONDS
        self._room, self._since = min(float(BURST), self._room + grown), at
        if self._room < 1:
            return False
        self._room -= 1
        return True


def done(
    request: Request, at: float, target: str, *, why: str = "", detail: str = ""
) -> AuditEntry:
    """Return the entry of what a request asked for and got, though it made no version."""
    caller = request.state.caller
    return AuditEntry(
        at=at,
        who=caller.name,
        origin=caller.origin,
        action=request.state.action,
        target=target,
        why=why,
        result="done",
        detail=detail,
    )


def reason(error: HTTPException | RequestValidationError) -> str:
    """Return why a change was refused, as its caller was told."""
    if isinstance(error, HTTPException):
        message, found = told(error)
        return " ".join([message, *found])
    return "; ".join(problems(error))


def target(request: Request) -> str:
    """Return what a request was to change, as its path says it."""
    parts = [request.path_params[part] for part in PARTS if part in request.path_params]
    return "/".join(shown(name(part)) for part in parts)
