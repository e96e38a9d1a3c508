"""Ordering: the database puts values in order and hands out each so-many-th with its rank."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from proxy.experiments.ranks import Sketch, step
from proxy.store.comparing.window import ROW, Counted, numbers, side_of, within


def order(
    connection: Connection,
    sides: Sequence[Sequence[Counted]],
    since: float,
    until: float,
    *,
    column: str,
    counts: Sequence[int],
) -> list[Sketch]:
    """Return a sketch of the values that a column has on each side, of which it has `counts`."""
    if not any(counts):
        return [Sketch() for _ in sides]
    side, value = side_of(sides), ROW[column]
    rank = func.row_number().over(partition_by=side, order_by=value).label("rank")
    query = select(side, rank, value.label("value"))
    ordered = (
        within(connection, query, numbers(sides), since, until, value.is_not(None))
        .subquery("ordered")
        .c
    )
    kept = or_(*(_kept(ordered.side == place, ordered.rank, n) for place, n in enumerate(counts)))
    chosen = select(ordered.side, ordered.rank, ordered.value).where(kept)
    found: list[list[tuple[int, float]]] = [[] for _ in sides]
    for place, *pair in connection.execute(chosen.order_by(ordered.side, ordered.rank)):
        found[place].append((pair[0], pair[1]))
    return [
        Sketch(n, tuple(rank for rank, _ in pairs), tuple(value for _, value in pairs))
        for n, pairs in zip(counts, found, strict=True)
    ]


def _kept(here: ColumnElement[bool], rank: ColumnElement[int], n: int) -> ColumnElement[bool]:
    return and_(here, or_((rank - 1) % step(n) == 0, rank == n))
