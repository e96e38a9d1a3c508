"""Spending: what was spent a day, by route, variant and key, as the observations kept say.

It is added to in the transaction that keeps a batch, so exactly what was kept is in it, once, and
all that write to one database share it. It outlives the observations.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Literal, cast

from msgspec import Struct
from sqlalchemy import Column, Connection, Engine, Insert, false, func, select
from sqlalchemy.dialects import postgresql, sqlite

from proxy.exchange.observation import Observation
from proxy.pricing import day_of, owed
from proxy.pricing.accountant import Purse, Sums, spent_by
from proxy.store.engines import POSTGRESQL
from proxy.store.store import told
from proxy.store.tables import SPENDING

ROW = SPENDING.c
LONGEST_DAYS = 62  # that a budget may look back, with days to spare
NAMES = tuple(SPENDING.c.keys())
PAST_COUNTS = 30  # after so many counts, days before yesterday are read again
By = Literal["route", "variant", "key", "day"]
GROUPS: Mapping[By, tuple[Column[Any], ...]] = {
    "route": (ROW.route,),
    "variant": (ROW.route, ROW.variant),
    "key": (ROW.key_name,),
    "day": (ROW.day,),
}


class Counted(Struct, frozen=True, kw_only=True):
    """What all have spent, and what of it this process has kept, at one moment."""

    kept: Mapping[Purse, float]
    ours: Mapping[Purse, float]


class Past(Struct, kw_only=True):
    """What was counted of the days from `since` on and before `until`, both at one moment."""

    since: int
    until: int
    counted: Counted
    uses: int = 0


class Spent(Struct, frozen=True, kw_only=True):
    """What one group came to; what it was not grouped by is None."""

    day: int | None = None  # since 1970-01-01, UTC
    route: str | None = None  # empty: what passed through
    variant: str | None = None
    key: str | None = None  # empty: no key
    requests: int  # that somebody may charge for
    unpriced: int  # of them, those whose cost is unknown
    cost_usd: float
    shadow_usd: float  # of it, what shadows cost


class Spending:
    """What is spent, in the database that `engine` reaches; any thread may call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        insert = postgresql.insert if engine.dialect.name == POSTGRESQL else sqlite.insert
        self._add = _adding(cast("Any", insert)(SPENDING))
        self._lock = Lock()  # held while a batch is kept, so that what is counted is of one moment
        self._ours: Sums = {}
        self._past: Past | None = None

    @contextmanager
    def keeping(self, batch: Iterable[Observation]) -> Iterator[None]:
        """Note that the block keeps `batch`, unless it fails."""
        with self._lock:
            yield
            for seen in batch:
                for purse, usd in spent_by(seen).items():
                    self._ours[purse] = self._ours.get(purse, 0.0) + usd

    def add(self, connection: Connection, fresh: Sequence[Observation]) -> None:
        """Add what these cost, which were not kept before."""
        if rows := rows_of(fresh):
            connection.execute(self._add, rows)

    def count(self, since: int) -> Counted:
        """Return what was spent from the day `since` on. StoreError: it can't be read.

        Of days before yesterday it may be what it was some counts ago, of both sums alike.
        """
        with self._lock, told("read"), self._engine.connect() as connection:
            newest = connection.scalar(select(func.max(ROW.day))) or 0
            recent = max(since, newest - 1)
            past = self._past
            if past is None or (past.since, past.until) != (since, recent) or not past.uses:
                counted = self._counted(connection, since, recent)
                past = self._past = Past(
                    since=since, until=recent, counted=counted, uses=PAST_COUNTS
                )
                self._ours = {
                    of: usd for of, usd in self._ours.items() if of[2] >= since - LONGEST_DAYS
                }
            past.uses -= 1
            lately = self._counted(connection, recent, newest + LONGEST_DAYS)
        return Counted(
            kept={**past.counted.kept, **lately.kept}, ours={**past.counted.ours, **lately.ours}
        )

    def _counted(self, connection: Connection, since: int, until: int) -> Counted:
        """Return what was spent from a day on and before another."""
        kept: Sums = {}
        for scope, name in (("route", ROW.route), ("key", ROW.key_name)):
            query = select(name, ROW.day, func.sum(ROW.cost_usd)).group_by(name, ROW.day)
            here = query.where(ROW.day >= since, ROW.day < until, name != "")
            kept |= {cast("Purse", (scope, *of)): usd for *of, usd in connection.execute(here)}
        ours = {purse: usd for purse, usd in self._ours.items() if since <= purse[2] < until}
        return Counted(kept=kept, ours=ours)

    def spent(self, since: int, by: By) -> list[Spent]:
        """Return what was spent from the day `since` on, the most costly first, days in order."""
        groups = GROUPS[by]
        sums = [func.sum(each) for each in (ROW.requests, ROW.unpriced, ROW.cost_usd)]
        shadows = func.sum(ROW.cost_usd).filter(ROW.shadow != false())
        order = (ROW.day,) if by == "day" else (func.sum(ROW.cost_usd).desc(), *groups)
        query = select(*groups, *sums, shadows).where(ROW.day >= since)
        with told("read"), self._engine.connect() as connection:
            rows = connection.execute(query.group_by(*groups).order_by(*order)).all()
        return [_spent(groups, row) for row in rows]


def rows_of(batch: Iterable[Observation]) -> list[dict[str, Any]]:
    """Return what a batch adds to the rows of the table."""
    sums: dict[tuple[Any, ...], list[float]] = {}
    for seen in filter(owed, batch):
        place = (
            day_of(seen.started_at),
            seen.route or "",
            seen.variant_served or "",
            seen.key_name or "",
            seen.shadow_of is not None,
        )
        held = sums.get(place)
        if held is None:
            held = sums[place] = [0, 0, 0.0]
        held[0] += 1
        held[1] += seen.cost_usd is None
        held[2] += seen.cost_usd or 0.0
    return [dict(zip(NAMES, (*place, *sums[place]), strict=True)) for place in sorted(sums)]


def _spent(groups: Sequence[Column[Any]], row: Any) -> Spent:
    *of, requests, unpriced, cost, shadow = row
    names = ("key" if each.name == "key_name" else each.name for each in groups)
    return Spent(
        **dict(zip(names, of, strict=True)),
        requests=int(requests),
        unpriced=int(unpriced),
        cost_usd=cost,
        shadow_usd=shadow or 0.0,
    )


def _adding(insert: Any) -> Insert:
    """Return the insert that adds to the row that is there."""
    now, new = SPENDING.c, insert.excluded
    adding: Insert = insert.on_conflict_do_update(
        index_elements=list(SPENDING.primary_key),
        set_={name: now[name] + new[name] for name in ("requests", "unpriced", "cost_usd")},
    )
    return adding
