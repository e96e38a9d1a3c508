"""Adding: sums by unit, and of these the sums over units, all within the database.

A metric is an `x` and an `n` of each observation: 1 and 1 where it failed, 0 and 1 where it could
have. An inner query adds them up by unit, an outer one adds up units, their squares and products.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    and_,
    case,
    cast,
    func,
    literal_column,
    select,
)

from proxy.experiments.metrics import MEANS, QUANTILES, RATES, Quantile, Rate
from proxy.experiments.scope import Of, within
from proxy.experiments.sums import Sums
from proxy.store.comparing.window import ROW, Counted, among, numbers, side_of
from proxy.store.comparing.window import within as inside

ZERO: ColumnElement[Any] = literal_column("0")
ONE: ColumnElement[Any] = literal_column("1")


class Term(Struct, frozen=True):
    """One metric's `x` and `n` of an observation."""

    name: str
    x: ColumnElement[Any]
    n: ColumnElement[Any]


def terms(sides: Sequence[Sequence[Counted]]) -> list[Term]:
    """Return those of rates and means."""
    counted = _all(sides)
    completed = _flag(counted, lambda each: within(each.kind, Of.COMPLETED))
    means = []
    for mean in MEANS:
        column = ROW[mean.column]
        known = case((column.is_not(None), completed), else_=ZERO)
        value = func.coalesce(cast(column, Double), 0.0)
        means.append(Term(mean.name, value * completed, known))
    return [*(_rate(rate, counted) for rate in RATES), *means]


def times(sides: Sequence[Sequence[Counted]], found: Sequence[Mapping[str, float]]) -> list[Term]:
    """Return those of quantiles: how many stay within what was `found` for each, on each side."""
    completed = _flag(_all(sides), lambda each: within(each.kind, Of.COMPLETED))
    names = {name for each in found for name in each}
    return [_quantile(each, sides, found, completed) for each in QUANTILES if each.name in names]


def add(
    connection: Connection,
    sides: Sequence[Sequence[Counted]],
    since: float,
    until: float,
    what: Sequence[Term],
) -> list[tuple[int, dict[str, Sums]]]:
    """Return each side's number of units, and each metric's sums; without any it is left out."""
    found: list[tuple[int, dict[str, Sums]]] = [(0, {}) for _ in sides]
    if not any(sides) or not what:
        return found
    columns: dict[str, ColumnElement[Any]] = {}  # by name: many metrics share an n
    pairs = [(_named(columns, term.n), _named(columns, term.x)) for term in what]
    parts = [func.sum(each).label(name) for name, each in columns.items()]
    inner = inside(connection, select(side_of(sides), *parts), numbers(sides), since, until)
    # What has no bucket is a unit of its own.
    unit = func.coalesce(ROW.bucket, -ROW.number)
    units = inner.group_by(literal_column("side"), unit).subquery("units").c
    sums = [
        part for n, x in pairs for part in _over(cast(units[n], Double), cast(units[x], Double))
    ]
    query = select(units.side, func.count(), *sums).group_by(units.side)
    for side, count, *values in connection.execute(query):
        found[side] = (
            count,
            {
                term.name: Sums(int(six[0]), *map(float, six[1:]))
                for term, six in zip(what, _sixes(values), strict=True)
                if six[0]
            },
        )
    return found


def _rate(rate: Rate, counted: Sequence[Counted]) -> Term:
    of = _flag(counted, lambda each: within(each.kind, rate.of))
    happened = _flag(counted, lambda each: within(each.kind, rate.of) and rate.happened(each.kind))
    if rate.of is Of.REPLIED:
        succeeded = and_(ROW.status >= 200, ROW.status < 300)
        of, happened = (
            each if each is ZERO else case((succeeded, each), else_=ZERO)
            for each in (of, happened)
        )
    return Term(rate.name, happened, of)


def _quantile(
    quantile: Quantile,
    sides: Sequence[Sequence[Counted]],
    found: Sequence[Mapping[str, float]],
    completed: ColumnElement[Any],
) -> Term:
    column = ROW[quantile.column]
    inside_it = [
        (
            and_(among(ROW.kind, [each.number for each in side]), column <= at[quantile.name]),
            completed,
        )
        for side, at in zip(sides, found, strict=True)
        if side and quantile.name in at
    ]
    return Term(
        quantile.name,
        case(*inside_it, else_=ZERO),
        case((column.is_not(None), completed), else_=ZERO),
    )


def _all(sides: Sequence[Sequence[Counted]]) -> list[Counted]:
    return [each for side in sides for each in side]


def _flag(counted: Sequence[Counted], chosen: Callable[[Counted], bool]) -> ColumnElement[Any]:
    """Return 1 where an observation is of a chosen kind and 0 elsewhere, as cheaply as can be."""
    kinds = [each.number for each in counted if chosen(each)]
    if not kinds:
        return ZERO
    if len(kinds) == len(counted):
        return ONE
    return case((among(ROW.kind, kinds), ONE), else_=ZERO)


def _named(columns: dict[str, ColumnElement[Any]], column: ColumnElement[Any]) -> str:
    """Return the name of a column in the inner query; the same one is there once."""
    for name, known in columns.items():
        if known.compare(column):
            return name
    name = f"part_{len(columns)}"
    columns[name] = column
    return name


def _over(n: ColumnElement[Any], x: ColumnElement[Any]) -> Iterable[ColumnElement[Any]]:
    """Yield what `Sums` has, in its order."""
    yield func.sum(case((n > 0, 1), else_=0))
    yield from (func.sum(each) for each in (n, x, n * n, x * x, x * n))


def _sixes(values: Sequence[Any]) -> list[Sequence[Any]]:
    return [values[start : start + 6] for start in range(0, len(values), 6)]
