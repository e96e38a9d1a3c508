"""Comparing: what there is of a route's variants in a window, for whoever makes sense of it.

All of a comparison sees the database as it was at one moment. It reads many observations, so there
is one at a time, and it is stopped where it takes too long.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from proxy.errors import StoreError
from proxy.experiments import Measured, Sketch
from proxy.experiments.metrics import QUANTILES
from proxy.experiments.scope import Of
from proxy.experiments.scope import within as of
from proxy.store.comparing.adding import add, terms, times
from proxy.store.comparing.ordering import order
from proxy.store.comparing.window import Counted, compared, count, passed_over
from proxy.store.engines import POSTGRESQL
from proxy.store.store import told

SECONDS = 50.0  # that a comparison may take
WAIT_SECONDS = 5.0  # for the one before it
AGAIN_SECONDS = 0.01  # from one try to stop it to the next
ONE_MOMENT = "REPEATABLE READ"  # what SQLite does by itself


class TooLong(StoreError):
    """A comparison took longer than it may, or another one does at present."""


class Comparing:
    """Reads from the database that `engine` reaches; its methods may be called from any thread."""

    def __init__(self, engine: Engine, *, seconds: float = SECONDS) -> None:
        self._engine = engine
        self._seconds = seconds
        self._busy = Lock()
        self._closed = False
        self._wake = Event()  # whoever watches the comparison that is under way

    def close(self) -> None:
        """Stop what is under way, and whatever comes: the process waits for its threads to end."""
        self._closed = True
        self._wake.set()

    def measure(
        self, route: str, variants: Sequence[str], since: float, until: float
    ) -> list[Measured]:
        """Return what there is of each variant, begun from `since` on and before `until`.

        Both are seconds since the epoch. TooLong: there is too much of it, or another comparison
        is under way. StoreError: it can't be read.
        """
        if not self._busy.acquire(timeout=min(WAIT_SECONDS, self._seconds)):
            raise TooLong("another comparison is under way; try again when it is done")
        try:
            with told("read"), self._snapshot() as connection:
                counted = count(connection, route, since, until)
                return _measure(connection, counted, variants, since, until)
        finally:
            self._busy.release()

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        """Yield the database as it is now; TooLong where the block is not done in time."""
        shared, late = self._engine.dialect.name == POSTGRESQL, False
        dbapi: Any = self._engine.dialect.dbapi

        def watch() -> None:
            nonlocal late
            wake.wait(0 if self._closed else self._seconds)
            late = not done.is_set()
            while not done.is_set():
                with suppress(dbapi.Error):  # a server that does not hear it is asked again
                    if shared:
                        raw.cancel_safe(timeout=WAIT_SECONDS)
                    else:
                        raw.interrupt()
                done.wait(AGAIN_SECONDS)  # again: what comes between two statements is lost

        engine, done = self._engine, Event()
        self._wake = wake = Event()
        if shared:
            engine = engine.execution_options(isolation_level=ONE_MOMENT)
        with engine.connect() as connection:
            if shared:
                connection.execute(text("SET LOCAL statement_timeout = 0"))
            raw: Any = connection.connection.driver_connection
            watcher = Thread(target=watch, name="watching a comparison", daemon=True)
            watcher.start()
            try:
                yield connection
            except DBAPIError as error:
                if not late:
                    raise
                raise TooLong(
                    f"the comparison was stopped after {self._seconds:g} seconds; "
                    "ask for a shorter time with --since and --until"
                ) from error
            finally:
                done.set()
                wake.set()
                watcher.join()


def _measure(
    connection: Connection,
    counted: Sequence[Counted],
    variants: Sequence[str],
    since: float,
    until: float,
) -> list[Measured]:
    """Read what is in the window five times over, whatever the number of variants."""
    sides = [compared(counted, variant) for variant in variants]
    completed = [[each for each in side if of(each.kind, Of.COMPLETED)] for side in sides]
    latencies = [sum(each.requests for each in side) for side in completed]
    firsts = [sum(each.streamed for each in side) for side in completed]
    sketches = [
        {"latency_ms": latency, "ttft_ms": first}
        for latency, first in zip(
            order(connection, completed, since, until, column="latency_ms", counts=latencies),
            order(connection, completed, since, until, column="ttft_ms", counts=firsts),
            strict=True,
        )
    ]
    added = add(connection, sides, since, until, terms(sides))
    found = [_quantiles(each) for each in sketches]
    timed = add(connection, completed, since, until, times(completed, found))
    measured = []
    for place, variant in enumerate(variants):
        outcomes: Counter[str] = Counter()
        for each in sides[place]:
            outcomes[each.kind.outcome.value] += each.requests
        units, sums = added[place]
        measured.append(
            Measured(
                variant=variant,
                requests=sum(outcomes.values()),
                units=units,
                outcomes=outcomes,
                left_out=passed_over(counted, variant),
                unpriced=sum(each.requests - each.priced for each in completed[place]),
                sums=sums | timed[place][1],
                sketches=sketches[place],
            )
        )
    return measured


def _quantiles(sketches: dict[str, Sketch]) -> dict[str, float]:
    return {
        each.name: sketches[each.column].quantile(each.share)
        for each in QUANTILES
        if sketches[each.column].n
    }
