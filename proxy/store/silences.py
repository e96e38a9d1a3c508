"""Silences: of which alerts nobody is told for a time, shared by all who share the store.

What is over is kept for a week, and then taken out by the next one that is made. Any thread may
call; it blocks. What a silence means is not known here.
"""

from typing import Any

from msgspec.structs import asdict, replace
from sqlalchemy import Engine, delete, select, update

from proxy.alerting.silence import Silence
from proxy.store.store import told
from proxy.store.tables import SILENCES, WRITING

KEPT_SECONDS = 7 * 86_400.0  # after its end
ROW = SILENCES.c


class Silences:
    """Silences in the database that `engine` reaches."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**WRITING)

    def add(self, silence: Silence) -> Silence:
        """Keep a silence; return it with its number. StoreError: it can't be kept."""
        row: dict[str, Any] = asdict(silence)
        del row["number"]
        with told("written"), self._writer.begin() as connection:
            added = connection.execute(SILENCES.insert().values(row)).inserted_primary_key
            old = ROW.ends_at < silence.begins_at - KEPT_SECONDS
            connection.execute(delete(SILENCES).where(old))  # after it: no number comes twice
        return replace(silence, number=None if added is None else added[0])

    def end(self, number: int, at: float) -> Silence | None:
        """End a silence at a moment; return it as it was. None: none of this number lasts."""
        lasts = (ROW.number == number) & (ROW.ends_at > at)
        with told("written"), self._writer.begin() as connection:
            found = connection.execute(select(SILENCES).where(lasts)).mappings().first()
            connection.execute(update(SILENCES).where(lasts).values(ends_at=at))
        return None if found is None else Silence(**found)

    def lasting(self, at: float) -> list[Silence]:
        """Return the silences that are not over at a moment, in the order in which they end."""
        query = select(SILENCES).where(ROW.ends_at > at).order_by(ROW.ends_at, ROW.number)
        with told("read"), self._engine.connect() as connection:
            return [Silence(**row) for row in connection.execute(query).mappings()]
