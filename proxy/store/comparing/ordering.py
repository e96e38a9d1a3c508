"""Ordering: the database puts values in order and hands out each so-many-th with its rank."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, or_, select

from proxy.experiments.ranks import Sketch, step
from proxy.store.comparing.window import ROW, Counted, within


def order(
    connection: Connection,
    counted: Sequence[Counted],
    since: float,
    until: float,
    *,
    column: str,
    n: int,
) -> Sketch:
    """Return a sketch of the `n` values that a column has in the window."""
    if n == 0:
        return Sketch()
    value = ROW[column]
    rank = func.row_number().over(order_by=value).label("rank")
    kinds = [each.number for each in counted]
    ordered = within(
        select(rank, value.label("value")), kinds, since, until, value.is_not(None)
    ).subquery("ordered")
    kept = or_((ordered.c.rank - 1) % step(n) == 0, ordered.c.rank == n)
    query = select(ordered.c.rank, ordered.c.value).where(kept).order_by(ordered.c.rank)
    ranks, values = zip(*connection.execute(query), strict=True)
    return Sketch(n, ranks, values)
