"""The lines of an upstream that fails: it can't be reached, it is out, it is back.

Derived from what workers report, a second or less apart. `Changes` is pure: it knows neither a
logger nor how the reports came.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import structlog


class View(Protocol):
    """One upstream as one worker sees it; counters never go down while the worker lives."""

    @property
    def name(self) -> str:
        """The upstream's configured name."""
        ...

    @property
    def open(self) -> int:
        """Connections that it has, busy and idle."""
        ...

    @property
    def ejected(self) -> bool:
        """The worker keeps it out."""
        ...

    @property
    def ejections(self) -> int:
        """How often it put it out."""
        ...

    @property
    def connect_failures(self) -> int:
        """Connections that could not be opened."""
        ...

    @property
    def connect_error(self) -> str | None:
        """The error code of the last of these."""
        ...


class Change(NamedTuple):
    """What happened to an upstream, and the fields that say more."""

    event: str  # upstream_unreachable | upstream_ejected | upstream_returned
    upstream: str
    facts: Mapping[str, str | int | None]


class Changes:
    """Turns reports into changes: out with the first worker that ejects it, back with the last."""

    def __init__(self) -> None:
        self._last: dict[tuple[int, str], View] = {}
        self._out: dict[str, set[int]] = {}  # upstream -> the workers that keep it out
        self._failing: dict[str, set[int]] = {}  # ... that can't connect to it

    def see(self, worker: int, views: Iterable[View]) -> Iterator[Change]:
        """Yield what is new in a worker's report."""
        for view in views:
            last = self._last.get((worker, view.name), view)
            self._last[worker, view.name] = view
            yield from self._connecting(worker, last, view)
            yield from self._ejecting(worker, last, view)

    def _connecting(self, worker: int, last: View, view: View) -> Iterator[Change]:
        failing = self._failing.setdefault(view.name, set())
        if view.connect_failures > last.connect_failures:
            if not failing:
                facts = {"error_code": view.connect_error}
                yield Change("upstream_unreachable", view.name, facts)
            failing.add(worker)
        elif view.open:
            failing.discard(worker)

    def _ejecting(self, worker: int, last: View, view: View) -> Iterator[Change]:
        out = self._out.setdefault(view.name, set())
        before = bool(out)
        # A rest that began and ended between two reports shows in the counter alone.
        if view.ejected or view.ejections > last.ejections:
            out.add(worker)
        if out and not before:
            yield Change("upstream_ejected", view.name, {"workers": len(out)})
        if not view.ejected:
            out.discard(worker)
            if not out and (before or view.ejections > last.ejections):
                yield Change("upstream_returned", view.name, {})


class UpstreamLog:
    """One line for each change."""

    def __init__(self) -> None:
        self._log = structlog.get_logger().bind()
        self._changes = Changes()

    def see(self, worker: int, views: Sequence[View]) -> None:
        """Log what is new in a worker's report."""
        for event, upstream, facts in self._changes.see(worker, views):
            write = self._log.info if event == "upstream_returned" else self._log.warning
            write(event, upstream=upstream, **facts)
