"""Turns: changes are made one after the other, each to its end, and each is audited.

Who asked may go away meanwhile: what was begun is done all the same. It does not know what a
change is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

from proxy.controlplane.publishing.change import Published, Reloaded, Unavailable, Unknown
from proxy.controlplane.publishing.history import History
from proxy.controlplane.publishing.in_force import Intent
from proxy.errors import ChangeError
from proxy.rollout import AuditEntry
from proxy.rollout.spread import Reach

ANSWER_SECONDS = 30.0  # after which who asked is told that it takes longer

T = TypeVar("T", Published, Reloaded)
Work = Callable[[], Awaitable[T]]
Result = Literal["done", "refused", "failed"]


class Turns:
    """Does one thing after the other; `wall` is seconds since the epoch."""

    def __init__(self, history: History, wall: Callable[[], float]) -> None:
        self._history = history
        self._wall = wall
        self.turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.held = ""  # why nothing may be done at present; empty: it may

    async def take(self, intent: Intent, work: Work[T]) -> T:
        """Return what `work` does when it is its turn; Unknown where it takes too long."""
        task = asyncio.ensure_future(self._in_turn(intent, work))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await asyncio.shield(task)
        except TimeoutError:
            raise Unknown(
                f"it takes longer than {ANSWER_SECONDS:g} s, and may still be done"
            ) from None

    async def audit(
        self, intent: Intent, result: Result, detail: str, version: int | None = None
    ) -> None:
        """Write into the audit log what came of an intent."""
        entry = AuditEntry(
            at=self._wall(),
            who=intent.caller.name,
            origin=intent.caller.origin,
            action=intent.action,
            target=intent.target,
            why=intent.why,
            result=result,
            detail=detail,
            version=version,
        )
        await self._history.record(entry)

    async def over(self) -> None:
        """Wait until all that was begun is done."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # who waited for it has it; nobody else needs to

    async def _in_turn(self, intent: Intent, work: Work[T]) -> T:
        async with self.turn:
            try:
                if self.held:
                    raise Unavailable(f"no change can be made at present: {self.held}")
                done = await work()
            except ChangeError as error:
                failed = isinstance(error, Unavailable)
                await self.audit(intent, "failed" if failed else "refused", str(error))
                raise
            await self.audit(intent, *outcome(done))
            return done


def outcome(done: Published | Reloaded) -> tuple[Result, str, int | None]:
    """Return what the audit log is to say of what was done: result, detail, new version."""
    number = done.version.number
    match done:
        case Published(changed=True):
            detail = f"version {number} is in force on {done.workers} of {done.of} workers"
            late = f"; late and replaced: {', '.join(map(str, done.late))}" if done.late else ""
            return "done", detail + late + elsewhere(done.reach), number
        case Reloaded(result="published"):
            reach = done.pushed.reach if done.pushed else None
            return "done", f"version {number} is in force{elsewhere(reach)}", number
        case Reloaded(result="rejected"):
            return "refused", "; ".join(done.problems), None
        case Reloaded():
            return "done", f"the routing stays: {done.result}", None
        case _:
            return "done", "the routing says so already", None


def elsewhere(reach: Reach | None) -> str:
    """Return what the audit log is to say of the hosts."""
    if reach is None:
        return ""
    late = f" (late: {', '.join(each.name for each in reach.late)})" if reach.late else ""
    return f"; on {reach.hosts} of {reach.of} hosts{late}"
