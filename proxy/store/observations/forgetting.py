"""Forgetting: what is older than it may be, or more than there is room for, the oldest first.

A block at a time, so that nobody waits long for the database. A file does not become smaller by
it: its room is used again.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, Select, and_, delete, func, select, update

from proxy.store.engines import alone
from proxy.store.observations.bodies import forget_bodies
from proxy.store.store import told
from proxy.store.tables import BLOCK, OBSERVATIONS, SPANS, WRITING

DAY = 86_400.0  # seconds
SPAN = SPANS.c


class Forgetting:
    """Takes out of the database that `engine` reaches what is beyond `seconds` or `size`.

    `size` is in bytes, as spans count them; None: no bound. `wall` is seconds since the epoch.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        seconds: float | None,
        size: int | None,
        wall: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**WRITING)
        self._seconds = seconds
        self._size = size
        self._wall = wall

    def forget(self) -> bool:
        """Take out at most a block; return whether there was any. StoreError: it can't be."""
        with told("written"):
            return self._by_age() or self._by_size()

    def _by_age(self) -> bool:
        if self._seconds is None:
            return False
        before = self._wall() - self._seconds
        aged = select(SPAN.block).where(SPAN.first_at < before).order_by(SPAN.block).limit(1)
        block = self._asked(aged)
        if block is None:
            return False
        row = OBSERVATIONS.c
        with self._writer.begin() as connection:
            alone(connection)
            inside = row.number.between(block * BLOCK, block * BLOCK + BLOCK - 1)
            forget_bodies(connection, and_(inside, row.started_at < before))
            connection.execute(delete(OBSERVATIONS).where(inside, row.started_at < before))
            here = SPAN.block == block
            connection.execute(delete(SPANS).where(here, SPAN.last_at < before))
            left = update(SPANS).where(here, SPAN.first_at < before)
            connection.execute(left.values(first_at=before))
        return True

    def _by_size(self) -> bool:
        if self._size is None or (self._asked(select(func.sum(SPAN.bytes))) or 0) <= self._size:
            return False
        with self._writer.begin() as connection:
            alone(connection)
            block = connection.scalar(select(func.min(SPAN.block)))
            if block is not None:
                last = block * BLOCK + BLOCK - 1
                forget_bodies(connection, OBSERVATIONS.c.number <= last)
                connection.execute(delete(OBSERVATIONS).where(OBSERVATIONS.c.number <= last))
                connection.execute(delete(SPANS).where(SPAN.block == block))
        return block is not None

    def _asked(self, query: Select[Any]) -> Any:
        with self._engine.connect() as connection:
            return connection.scalar(query)
