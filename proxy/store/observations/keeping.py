"""Keeping: a batch of observations in one transaction, all of it or nothing.

Kept twice, an observation is there once: control takes a batch again where it was killed before
it could say that it had it. Called from one thread a process; other processes may write as well.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Engine, Insert, case, func, select
from sqlalchemy.dialects import postgresql, sqlite

from proxy.exchange.observation import Observation
from proxy.experiments import Counting, counting
from proxy.store.engines import POSTGRESQL, alone
from proxy.store.observations.bodies import keep_bodies
from proxy.store.observations.rows import (
    Columns,
    Kind,
    columns_of,
    kept_of,
    kinds_of,
    said,
    size_of,
)
from proxy.store.observations.spending import Spending
from proxy.store.store import told
from proxy.store.summaries import add
from proxy.store.tables import BLOCK, KINDS, OBSERVATIONS, SPANS, WRITING

STATEMENTS = 64  # that are ready: one for each set of columns that a batch has something of


class Known(NamedTuple):
    """A kind that is kept: its id, and how observations of it count."""

    id: int
    counts: Counting


class Keeping:
    """Writes into the database that `engine` reaches."""

    def __init__(self, engine: Engine, spending: Spending | None = None) -> None:
        self._engine = engine.execution_options(**WRITING)
        insert = postgresql.insert if engine.dialect.name == POSTGRESQL else sqlite.insert
        self._insert_kind = cast("Any", insert)(KINDS).on_conflict_do_nothing()
        self._widen = _widening(cast("Any", insert)(SPANS))
        self.spending = spending or Spending(engine)
        self._kinds: dict[tuple[Any, ...], Known] = {}

        @lru_cache(STATEMENTS)
        def inserting(names: tuple[str, ...]) -> str:
            rows = cast("Any", insert)(OBSERVATIONS).on_conflict_do_nothing()
            return str(rows.compile(dialect=engine.dialect, column_keys=names))

        self._inserting = inserting

    def keep(self, batch: Sequence[Observation]) -> int:
        """Keep a batch; return about how many bytes it takes. StoreError: nothing was kept."""
        with self.spending.keeping(batch), told("written"), self._engine.begin() as connection:
            alone(connection)
            columns = columns_of(batch)
            of_batch = kinds_of(columns)
            fresh = self._number_kinds(connection, set(of_batch))
            known = [fresh.get(kind) or self._kinds[kind] for kind in of_batch]
            first = (connection.scalar(select(func.max(OBSERVATIONS.c.number))) or 0) + 1
            kinds = [kind.id for kind in known]
            places = self._insert(connection, first, kinds, columns)
            self.spending.add(connection, [batch[place] for place in places])
            add(connection, [(known[place].counts, batch[place]) for place in places])
            keep_bodies(connection, first, batch)
            spans = spans_of(first, kinds, batch)
            connection.execute(self._widen, spans)
        self._kinds |= fresh  # only now: what was rolled back has no number
        return sum(span["bytes"] for span in spans)

    def _insert(
        self, connection: Connection, first: int, kinds: Sequence[int], columns: Columns
    ) -> Sequence[int]:
        """Insert a batch, numbered from `first` on; return the places of what was not there."""
        numbers = range(first, first + len(kinds))
        values = {"number": numbers, "kind": kinds, **kept_of(columns)}
        names = tuple(values)
        rows: Any = list(zip(*values.values(), strict=True))
        if not connection.dialect.positional:
            rows = [dict(zip(names, row, strict=True)) for row in rows]
        inserted = connection.exec_driver_sql(self._inserting(names), rows).rowcount
        return range(len(kinds)) if inserted == len(kinds) else kept(connection, first)

    def _number_kinds(
        self, connection: Connection, kinds: set[tuple[Any, ...]]
    ) -> dict[tuple[Any, ...], Known]:
        """Return the kinds that are not known here yet; each has an id then."""
        fresh = {said(kind): kind for kind in kinds if kind not in self._kinds}
        if not fresh:
            return {}
        connection.execute(self._insert_kind, [{"said": words} for words in sorted(fresh)])
        found = select(KINDS.c.said, KINDS.c.id).where(KINDS.c.said.in_(fresh))
        return {
            fresh[words]: Known(number, counting(Kind(*fresh[words])))
            for words, number in connection.execute(found)
        }


def kept(connection: Connection, first: int) -> list[int]:
    """Return what of a batch, numbered from `first` on, was not kept before: places in it."""
    number = OBSERVATIONS.c.number
    numbers = connection.scalars(select(number).where(number >= first))
    return [each - first for each in numbers]


def spans_of(
    first: int, kinds: Sequence[int], batch: Sequence[Observation]
) -> list[dict[str, Any]]:
    """Return what the blocks of a batch, numbered from `first` on, are to say of it."""
    places: dict[tuple[int, int], list[Observation]] = defaultdict(list)
    for number, kind, seen in zip(count(first), kinds, batch, strict=False):
        places[number // BLOCK, kind].append(seen)
    return [
        {
            "block": block,
            "kind": kind,
            "first_at": min(seen.started_at for seen in there),
            "last_at": max(seen.started_at for seen in there),
            "slowest_ms": max(seen.latency_ms for seen in there),
            "bytes": sum(map(size_of, there)),
        }
        for (block, kind), there in places.items()
    ]


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
