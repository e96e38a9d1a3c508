"""Finding: observations by what they are, page by page, and one by its request's id, to the word.

What is looked for has certain kinds, times, latencies; `spans` say which blocks have any, and
only these are read. So the time that it takes depends on how many are wanted, not on how many
there are.
"""

from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Any, NamedTuple

from msgspec import Struct
from sqlalchemy import (
    BindParameter,
    ColumnClause,
    ColumnElement,
    Connection,
    Engine,
    UnaryExpression,
    bindparam,
    column,
    select,
    text,
)

from proxy.store.observations.bodies import KeptBodies, forget_words, read_bodies
from proxy.store.observations.rows import Kept, Kind, read_kind, read_row
from proxy.store.store import told
from proxy.store.tables import BLOCK, KINDS, OBSERVATIONS, SPANS, WRITING

ANY = "any"  # alert: whichever rule
ROW = OBSERVATIONS.c
SPAN = SPANS.c
BLOCKS = 50  # that are looked up at a time
MOST_OF_ONE = 10  # shadows that are shown of a request


class Narrow(NamedTuple):
    """An index that blocks are looked through in: a tenth of the pages that rows take."""

    number: ColumnClause[int] = column("number")
    kind: ColumnClause[int] = column("kind")
    latency_ms: ColumnClause[float] = column("latency_ms")
    started_at: ColumnClause[float] = column("started_at")


NARROW = Narrow()
HINTED = {"sqlite": text("observations INDEXED BY by_place")}  # by itself it would take the rows


class Wanted(Struct, frozen=True, kw_only=True):
    """What observations must be like to be found; None: anything."""

    route: str | None = None
    variant: str | None = None  # that served, or where none did, that was to
    outcome: str | None = None
    alert: str | None = None  # a rule's name, or ANY
    key: str | None = None
    slower_than: float | None = None  # milliseconds
    since: float | None = None  # seconds since the epoch: when it began
    until: float | None = None  # before then


class Finding:
    """Reads from the database that `engine` reaches; its methods may be called from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kinds: dict[int, Kind] = {}
        self._lock = Lock()

    def find(
        self, wanted: Wanted, limit: int, *, before: int | None = None, after: int | None = None
    ) -> list[Kept]:
        """Return what is wanted, the newest first: the last ones, or the last before a number.

        After a number, it is the first ones, the oldest first. StoreError: it can't be read.
        """
        with told("read"), self._engine.connect() as connection:
            kinds = self._known(connection)
            chosen = [number for number, kind in kinds.items() if fits(kind, wanted)]
            if not chosen:
                return []
            bounds = _Bounds(wanted, chosen if len(chosen) < len(kinds) else None, before, after)
            numbers: list[int] = []
            for block in bounds.blocks(connection):
                numbers += bounds.numbers(connection, block, limit - len(numbers))
                if len(numbers) >= limit:
                    break
            rows = connection.execute(select(OBSERVATIONS).where(ROW.number.in_(numbers)))
            found = {row.number: read_row(row, kinds) for row in rows}
            return [found[number] for number in numbers if number in found]

    def one(self, request_id: str) -> Kept | None:
        """Return the observation of a request; None: there is none. StoreError: unreadable."""
        return next(iter(self._where(ROW.request_id == request_id)), None)

    def shadows(self, request_id: str) -> list[Kept]:
        """Return the shadows of a request. StoreError: they can't be read."""
        return self._where(ROW.shadow_of == request_id)

    def bodies(self, request_id: str) -> KeptBodies | None:
        """Return the bodies of a request; None: none were kept. StoreError: unreadable."""
        with told("read"), self._engine.connect() as connection:
            return read_bodies(connection, request_id)

    def forget(self, request_id: str) -> bool:
        """Take out what was said in a request and its shadows: bodies and previews.

        Returns whether there is such a request. StoreError: it can't be; nothing was taken out.
        """
        writer = self._engine.execution_options(**WRITING)
        with told("written"), writer.begin() as connection:
            return forget_words(connection, request_id)

    def _where(self, condition: ColumnElement[bool]) -> list[Kept]:
        query = select(OBSERVATIONS).where(condition).limit(MOST_OF_ONE)
        with told("read"), self._engine.connect() as connection:
            rows = connection.execute(query).all()
            kinds = self._known(connection)
            return [read_row(row, kinds) for row in rows]

    def _known(self, connection: Connection) -> dict[int, Kind]:
        """Return all kinds there are; those seen before are not read again."""
        with self._lock:
            last = max(self._kinds, default=0)
            fresh = select(KINDS.c.id, KINDS.c.said).where(KINDS.c.id > last)
            self._kinds |= {number: read_kind(said) for number, said in connection.execute(fresh)}
            return self._kinds.copy()


def fits(kind: Kind, wanted: Wanted) -> bool:
    """Return whether observations of a kind may be wanted."""
    return (
        wanted.route in (None, kind.route)
        and wanted.variant in (None, kind.variant_served or kind.variant_assigned)
        and wanted.outcome in (None, kind.outcome)
        and wanted.key in (None, kind.key_name)
        and (wanted.alert is None or wanted.alert in kind.alerts or _any(kind, wanted))
    )


def _any(kind: Kind, wanted: Wanted) -> bool:
    return wanted.alert == ANY and bool(kind.alerts)


class _Bounds:
    """What a search asks of blocks, and then of their rows; `kinds` of None are all."""

    def __init__(
        self, wanted: Wanted, kinds: Sequence[int] | None, before: int | None, after: int | None
    ) -> None:
        self._wanted = wanted
        self._kinds = kinds
        self._before = before
        self._after = after

    def blocks(self, connection: Connection) -> Iterator[int]:
        """Yield the blocks that may have what is wanted, in the direction of the search."""
        wanted, where = self._wanted, self._of_kind(SPAN.kind)
        if self._before is not None:
            where.append(SPAN.block <= (self._before - 1) // BLOCK)
        if self._after is not None:
            where.append(SPAN.block >= (self._after + 1) // BLOCK)
        if wanted.slower_than is not None:
            where.append(SPAN.slowest_ms > wanted.slower_than)
        if wanted.since is not None:
            where.append(SPAN.last_at >= wanted.since)
        if wanted.until is not None:
            where.append(SPAN.first_at < wanted.until)
        query = select(SPAN.block).distinct().order_by(self._order(SPAN.block)).limit(BLOCKS)
        found = connection.scalars(query.where(*where)).all()
        while found:
            yield from found
            last = found[-1]
            beyond = SPAN.block < last if self._after is None else SPAN.block > last
            found = connection.scalars(query.where(*where, beyond)).all()

    def numbers(self, connection: Connection, block: int, limit: int) -> Sequence[int]:
        """Return the numbers of the first observations of a block that are wanted."""
        first, wanted, where = block * BLOCK, self._wanted, self._of_kind(NARROW.kind)
        last = first + BLOCK - 1
        if self._before is not None:
            last = min(last, self._before - 1)
        if self._after is not None:
            first = max(first, self._after + 1)
        where.append(NARROW.number.between(first, last))
        if wanted.slower_than is not None:
            where.append(NARROW.latency_ms > wanted.slower_than)
        if wanted.since is not None:
            where.append(NARROW.started_at >= wanted.since)
        if wanted.until is not None:
            where.append(NARROW.started_at < wanted.until)
        narrow = HINTED.get(connection.dialect.name, text("observations"))
        query = select(NARROW.number).select_from(narrow).where(*where)
        return connection.scalars(query.order_by(self._order(NARROW.number)).limit(limit)).all()

    def _of_kind(self, kind: ColumnClause[Any]) -> list[ColumnElement[bool]]:
        if self._kinds is None:
            return []
        # In the statement itself, for a database takes only so many parameters.
        among: BindParameter[Any] = bindparam(
            "kinds", self._kinds, expanding=True, literal_execute=True
        )
        return [kind.in_(among)]

    def _order(self, place: ColumnClause[Any]) -> UnaryExpression[Any]:
        return place.desc() if self._after is None else place.asc()
