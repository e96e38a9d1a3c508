"""Folding: what was added becomes part of its summary; what is too old goes.

A batch writes a little that is new, not a summary again; so this is done every few seconds, for
many batches together. Several hosts may do it by turns.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from proxy.experiments import Increment, Summary
from proxy.experiments.summaries import slot_of
from proxy.store.engines import POSTGRESQL, alone
from proxy.store.store import told
from proxy.store.summaries.adding import Place, read_increment
from proxy.store.tables import INCREMENTS, SUMMARIES, WRITING

MOST = 200  # increments at a time: others wait for the database meanwhile


class Folding:
    """Folds in the database that `engine` reaches; `seconds` and `wall` as for observations."""

    def __init__(self, engine: Engine, *, seconds: float, wall: Callable[[], float]) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**WRITING)
        self._seconds = seconds
        self._wall = wall
        here = postgresql.insert if engine.dialect.name == POSTGRESQL else sqlite.insert
        insert: Any = cast("Any", here)(SUMMARIES)
        self._keep = insert.on_conflict_do_update(
            index_elements=list(SUMMARIES.primary_key), set_={"summary": insert.excluded.summary}
        )

    def fold(self) -> bool:
        """Fold what was added; return whether there may be more. StoreError: it can't be."""
        oldest = slot_of(self._wall() - self._seconds)
        aged = SUMMARIES.c.slot < oldest
        with told("written"):
            with self._engine.connect() as connection:
                old = connection.scalar(select(SUMMARIES.c.slot).where(aged).limit(1))
                added = connection.scalar(select(INCREMENTS.c.number).limit(1))
            if old is None and added is None:
                return False
            with self._writer.begin() as connection:
                alone(connection)
                connection.execute(delete(SUMMARIES).where(aged))
                return self._fold(connection, oldest) == MOST

    def _fold(self, connection: Connection, oldest: int) -> int:
        """Return how many were folded."""
        rows = connection.execute(
            select(INCREMENTS).order_by(INCREMENTS.c.number).limit(MOST)
        ).all()
        added: dict[Place, list[Increment]] = defaultdict(list)
        for row in rows:
            if row.slot >= oldest:
                added[row.route, row.variant, row.slot].append(read_increment(row.increment))
        for place in sorted(added):
            connection.execute(self._keep, _summed(connection, place, added[place]))
        numbers = [row.number for row in rows]
        connection.execute(delete(INCREMENTS).where(INCREMENTS.c.number.in_(numbers)))
        return len(rows)


def _summed(connection: Connection, place: Place, added: list[Increment]) -> dict[str, Any]:
    """Return the row of a summary with what is to be added to it."""
    row = SUMMARIES.c
    route, variant, slot = place
    here = row.route == route, row.variant == variant, row.slot == slot
    kept = connection.scalar(select(row.summary).where(*here))
    summary = Summary() if kept is None else Summary.unpack(kept)
    for increment in added:
        summary.add(increment)
    return {"route": route, "variant": variant, "slot": slot, "summary": summary.pack()}
