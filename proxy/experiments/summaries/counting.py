"""Counting: what exchanges add to a summary, lot by lot and series by series.

Series are called after what they count: `outcome.completed`, `left_out.pinned`, `of.judged` (the
exchanges that a rate is of), `error_rate` (those that it happened to), `prompt_tokens` and
`prompt_tokens.n`, `latency_ms.67` (those in this bin of times), `unpriced`.
"""

from collections.abc import Iterator
from operator import attrgetter
from typing import Final
from zlib import crc32

from msgspec import Struct, field

from proxy.exchange.observation import Observation
from proxy.exchange.outcome import Outcome
from proxy.experiments.metrics import MEANS, QUANTILES, RATES
from proxy.experiments.quantiles import LAST, bin_of
from proxy.experiments.scope import Of, Sort, left_out, within

LOTS: Final = 128
MARKS: Final = 2**16  # places that units mark, so that they can be counted
MOST: Final = 2**40  # that an exchange adds to a series: what an upstream says may be anything

_means: Final = [(attrgetter(m.attribute), m.name, f"{m.name}.n", m.scale) for m in MEANS]
_times: Final = {
    column: (attrgetter(column), [f"{column}.{number}" for number in range(LAST + 1)])
    for column in (each.column for each in QUANTILES)
}


class Increment(Struct, array_like=True):
    """What some exchanges add: to each lot its amounts by series, and the units' marks."""

    lots: dict[int, dict[str, int]] = field(default_factory=dict)
    marks: set[int] = field(default_factory=set)


class Counting(Struct, frozen=True):
    """What every exchange of a sort adds; `completed`: and what it adds by its own figures."""

    succeeded: tuple[str, ...]  # the series that it counts for where its status is of success
    otherwise: tuple[str, ...]
    compared: bool
    completed: bool


def counting(sort: Sort) -> Counting:
    """Return how exchanges of a sort count."""
    why = left_out(sort)
    if why is not None:
        names = (f"left_out.{why}",)
        return Counting(names, names, compared=False, completed=False)
    scopes = {of for of in Of if within(sort, of)}
    return Counting(
        tuple(_names(sort, scopes)),
        tuple(_names(sort, scopes - {Of.REPLIED})),
        compared=True,
        completed=sort.outcome is Outcome.COMPLETED,
    )


def count(increment: Increment, how: Counting, seen: Observation) -> None:
    """Add one exchange to what is to be added."""
    whose = seen.bucket
    if whose is None:  # a unit of its own
        whose = crc32(seen.request_id.encode())
    lot = increment.lots.setdefault(whose % LOTS, {})
    succeeded = seen.status is not None and 200 <= seen.status < 300
    for name in how.succeeded if succeeded else how.otherwise:
        lot[name] = lot.get(name, 0) + 1
    if how.compared:
        increment.marks.add(whose % MARKS)
    if how.completed:
        _count_figures(lot, seen)


def _names(sort: Sort, scopes: set[Of]) -> Iterator[str]:
    yield f"outcome.{sort.outcome}"
    yield from (f"of.{of}" for of in scopes)
    yield from (rate.name for rate in RATES if rate.of in scopes and rate.happened(sort))


def _count_figures(lot: dict[str, int], seen: Observation) -> None:
    """Add what a completed exchange adds to means and times."""
    for read, name, known, scale in _means:
        value = read(seen)
        if value is not None:
            amount = value if scale == 1 else round(value * scale)
            lot[known] = lot.get(known, 0) + 1
            lot[name] = lot.get(name, 0) + (amount if 0 <= amount <= MOST else _bounded(amount))
    for read, names in _times.values():
        value = read(seen)
        if value is not None:
            name = names[bin_of(value)]
            lot[name] = lot.get(name, 0) + 1
    if seen.cost_usd is None:
        lot["unpriced"] = lot.get("unpriced", 0) + 1


def _bounded(amount: int) -> int:
    return min(max(amount, 0), MOST)
