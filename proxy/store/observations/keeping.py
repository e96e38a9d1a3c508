"""Keeping: a batch of observations in one transaction, all of it or nothing.

Kept twice, an observation is there once: control takes a batch again where it was killed before
it could say that it had it. Called from one thread a process; other processes may write as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, Engine, Insert, case, func, select
from sqlalchemy.dialects import postgresql, sqlite

from proxy.exchange.observation import Observation
from proxy.experiments import Counting, counting
from proxy.store.engines import POSTGRESQL, alone
from proxy.store.observations.bodies import keep_bodies
from proxy.store.observations.rows import COLUMNS, Kind, kind_of, row_of, said, size_of
from proxy.store.observations.spending import Spending
from proxy.store.store import told
from proxy.store.summaries import add
from proxy.store.tables import BLOCK, KINDS, OBSERVATIONS, SPANS, WRITING


class Keeping:
    """Writes into the database that `engine` reaches."""

    def __init__(self, engine: Engine, spending: Spending | None = None) -> None:
        self._engine = engine.execution_options(**WRITING)
        insert = postgresql.insert if engine.dialect.name == POSTGRESQL else sqlite.insert
        rows = cast("Any", insert)(OBSERVATIONS).on_conflict_do_nothing()
        self._insert = str(rows.compile(dialect=engine.dialect))
        self._by_name = not engine.dialect.positional
        self._insert_kind = cast("Any", insert)(KINDS).on_conflict_do_nothing()
        self._widen = _widening(cast("Any", insert)(SPANS))
        self.spending = spending or Spending(engine)
        self._counting: dict[tuple[Any, ...], Counting] = {}  # how each kind counts
        self._kinds: dict[tuple[Any, ...], int] = {}

    def keep(self, batch: Sequence[Observation]) -> int:
        """Keep a batch; return about how many bytes it takes. StoreError: nothing was kept."""
        with self.spending.keeping(batch), told("written"), self._engine.begin() as connection:
            alone(connection)
            of_batch = [kind_of(seen) for seen in batch]
            fresh = self._number_kinds(connection, set(of_batch))
            kinds = self._kinds | fresh
            first = (connection.scalar(select(func.max(OBSERVATIONS.c.number))) or 0) + 1
            rows = [
                row_of(number, kinds[kind], seen)
                for number, (kind, seen) in enumerate(zip(of_batch, batch, strict=True), first)
            ]
            connection.exec_driver_sql(self._insert, self._bound(rows))
            places = kept(connection, first)
            self.spending.add(connection, [batch[place] for place in places])
            how = self._counted(set(of_batch))
            add(connection, [(how[of_batch[place]], batch[place]) for place in places])
            keep_bodies(connection, first, batch)
            spans = spans_of(rows, batch)
            connection.execute(self._widen, spans)
        self._kinds |= fresh  # only now: what was rolled back has no number
        return sum(span["bytes"] for span in spans)

    def _counted(self, kinds: Iterable[tuple[Any, ...]]) -> Mapping[tuple[Any, ...], Counting]:
        """Return how exchanges of these kinds count, and of others that were seen before."""
        for kind in kinds:
            if kind not in self._counting:
                self._counting[kind] = counting(Kind(*kind))
        return self._counting

    def _bound(self, rows: list[tuple[Any, ...]]) -> Any:
        return [dict(zip(COLUMNS, row, strict=True)) for row in rows] if self._by_name else rows

    def _number_kinds(
        self, connection: Connection, kinds: set[tuple[Any, ...]]
    ) -> dict[tuple[Any, ...], int]:
        """Return the ids of the kinds that are not known here yet; each has one then."""
        fresh = {said(kind): kind for kind in kinds if kind not in self._kinds}
        if not fresh:
            return {}
        connection.execute(self._insert_kind, [{"said": words} for words in sorted(fresh)])
        found = select(KINDS.c.said, KINDS.c.id).where(KINDS.c.said.in_(fresh))
        return {fresh[words]: number for words, number in connection.execute(found)}


def kept(connection: Connection, first: int) -> list[int]:
    """Return what of a batch, numbered from `first` on, was not kept before: places in it."""
    number = OBSERVATIONS.c.number
    numbers = connection.scalars(select(number).where(number >= first))
    return [each - first for each in numbers]


def spans_of(
    rows: Sequence[tuple[Any, ...]], batch: Sequence[Observation]
) -> list[dict[str, Any]]:
    """Return what the blocks of these rows are to say of them."""
    spans: dict[tuple[int, int], dict[str, Any]] = {}
    for (number, kind, *_), seen in zip(rows, batch, strict=True):
        at, latency, block = seen.started_at, seen.latency_ms, number // BLOCK
        span = spans.get((block, kind))
        if span is None:
            span = spans[block, kind] = {
                "block": block,
                "kind": kind,
                "first_at": at,
                "last_at": at,
                "slowest_ms": latency,
                "bytes": 0,
            }
        span["first_at"] = min(at, span["first_at"])
        span["last_at"] = max(at, span["last_at"])
        span["slowest_ms"] = max(latency, span["slowest_ms"])
        span["bytes"] += size_of(seen)
    return list(spans.values())


def _widening(insert: Any) -> Insert:
    """Return the insert that widens what is said of a block already."""
    now, new = SPANS.c, insert.excluded
    widened: Insert = insert.on_conflict_do_update(
        index_elements=[now.block, now.kind],
        set_={
            "first_at": case((new.first_at < now.first_at, new.first_at), else_=now.first_at),
            "last_at": case((new.last_at > now.last_at, new.last_at), else_=now.last_at),
            "slowest_ms": case(
                (new.slowest_ms > now.slowest_ms, new.slowest_ms), else_=now.slowest_ms
            ),
            "bytes": now.bytes + new.bytes,
        },
    )
    return widened
