"""The window: observations of some kinds, begun between two moments; where they stand on record.

Spans say in which blocks there are any, so that only these are read.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    false,
    func,
    literal_column,
    or_,
    select,
)

from proxy.experiments.scope import left_out
from proxy.store.observations.rows import Kind, read_kind
from proxy.store.tables import BLOCK, KINDS, OBSERVATIONS, SPANS

STRETCHES = 20  # of blocks, that a query names
ROW = OBSERVATIONS.c
SPAN = SPANS.c


class Counted(Struct, frozen=True):
    """A kind's observations in a window."""

    number: int  # of the kind
    kind: Kind
    requests: int
    streamed: int  # of them, that have a time to the first token
    priced: int  # whose cost is known


def among(column: ColumnElement[Any], kinds: Iterable[int]) -> ColumnElement[bool]:
    """Return the condition that a column is one of these kinds."""
    # In the statement itself, for a database takes only so many parameters.
    values: BindParameter[Any] = bindparam(
        None, sorted(kinds), expanding=True, literal_execute=True, unique=True
    )
    return column.in_(values)


def within(
    connection: Connection,
    query: Select[Any],
    kinds: Iterable[int],
    since: float,
    until: float,
    *more: ColumnElement[bool],
) -> Select[Any]:
    """Return a query of OBSERVATIONS that reads only what is in the window."""
    chosen = list(kinds)
    told = (among(SPAN.kind, chosen), SPAN.last_at >= since, SPAN.first_at < until)
    blocks = connection.scalars(select(SPAN.block).distinct().where(*told)).all()
    # In numbers, not as a join: what a database makes of a join by range is anybody's guess.
    here = or_(
        false(),
        *(
            ROW.number.between(first * BLOCK, last * BLOCK + BLOCK - 1)
            for first, last in stretches(blocks)
        ),
    )
    when = and_(ROW.started_at >= since, ROW.started_at < until)
    return query.select_from(OBSERVATIONS).where(here, among(ROW.kind, chosen), when, *more)


def stretches(blocks: Iterable[int]) -> list[tuple[int, int]]:
    """Return the first and last blocks of stretches that have them all, at most STRETCHES.

    What lies between is left out, the largest gaps first.
    """
    there = sorted(blocks)
    if not there:
        return []
    gaps = sorted(pairwise(there), key=lambda gap: gap[0] - gap[1])[: STRETCHES - 1]
    ends = sorted((before, after) for before, after in gaps if after - before > 1)
    firsts = [there[0], *(after for _, after in ends)]
    return list(zip(firsts, [*(before for before, _ in ends), there[-1]], strict=True))


def count(connection: Connection, route: str, since: float, until: float) -> list[Counted]:
    """Return what there is of a route, by kind."""
    known = connection.execute(select(KINDS.c.id, KINDS.c.said)).all()
    kinds = {number: read_kind(said) for number, said in known}
    chosen = {number: kind for number, kind in kinds.items() if kind.route == route}
    if not chosen:
        return []
    counts = func.count(), func.count(ROW.ttft_ms), func.count(ROW.cost_usd)
    query = within(connection, select(ROW.kind, *counts), chosen, since, until).group_by(ROW.kind)
    return [
        Counted(number, chosen[number], *numbers) for number, *numbers in connection.execute(query)
    ]


def compared(counted: Iterable[Counted], variant: str) -> list[Counted]:
    """Return what the split gave to a variant."""
    return [
        each
        for each in counted
        if each.kind.variant_assigned == variant and left_out(each.kind) is None
    ]


def side_of(sides: Sequence[Sequence[Counted]]) -> ColumnElement[Any]:
    """Return the place of an observation's side; `sides` have no kind in common."""
    whens: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = [
        (among(ROW.kind, [each.number for each in side]), literal_column(str(place)))
        for place, side in enumerate(sides)
        if side
    ]
    return case(*whens).label("side")


def numbers(sides: Iterable[Iterable[Counted]]) -> list[int]:
    """Return the kinds of all sides."""
    return [each.number for side in sides for each in side]


def passed_over(counted: Iterable[Counted], variant: str) -> Mapping[str, int]:
    """Return how many observations of a variant are left out, by why."""
    found: Counter[str] = Counter()
    for each in counted:
        why = left_out(each.kind)
        if why is not None and each.kind.variant_assigned == variant:
            found[why.value] += each.requests
    return found
