"""Comparison: a candidate beside the baseline, metric by metric, and what may be said of it.

A difference is worse or better only where its interval leaves 0 out. Where there is too little to
say anything that is said, which is not the same as no difference. Each row is judged by itself: of
twenty rows without any difference one will look like one.
"""

from collections.abc import Collection
from enum import StrEnum

from msgspec import Struct

from proxy.experiments import quantiles
from proxy.experiments.intervals import (
    Interval,
    difference,
    mean_difference,
    rate_difference,
)
from proxy.experiments.measured import Measured
from proxy.experiments.metrics import METRICS, Mean, Metric, Rate
from proxy.experiments.sums import Sums

LEAST_UNITS = 10.0  # as many as would say as much if all were of one size
ERRORS = "error_rate"
LEAST_EVENTS = 5  # in both variants together; as many must be without, too


class Finding(StrEnum):
    """What a row comes to."""

    WORSE = "worse"
    BETTER = "better"
    DIFFERENT = "different"  # and nobody can say which is better
    NONE_SHOWN = "none_shown"  # the interval holds 0
    TOO_LITTLE = "too_little"  # not enough data; `reason` says of what


class Value(Struct, frozen=True):
    """A metric of one variant; `value` is None where nothing has it."""

    value: float | None
    requests: int  # it is of
    events: int | None = None  # a rate's: requests that it happened to


class Row(Struct, frozen=True, kw_only=True):
    """One metric of both; the difference is the candidate's less the baseline's."""

    metric: str
    unit: str
    baseline: Value
    candidate: Value
    difference: float | None = None
    low: float | None = None  # the 95 % interval of the difference
    high: float | None = None
    finding: Finding = Finding.TOO_LITTLE
    reason: str | None = None


def compare(
    baseline: Measured, candidate: Measured, unread: Collection[str] = ()
) -> tuple[Row, ...]:
    """Return all rows; `unread` are metrics that nobody looked for."""
    return tuple(_row(each, baseline, candidate, unread=each.name in unread) for each in METRICS)


def _row(metric: Metric, baseline: Measured, candidate: Measured, *, unread: bool) -> Row:
    values = _value(metric, baseline), _value(metric, candidate)
    row = Row(metric=metric.name, unit=metric.unit, baseline=values[0], candidate=values[1])
    lack = "turnout does not look for it on this route" if unread else None
    lack = lack or _lack(metric, baseline) or _lack(metric, candidate)
    if lack is not None:
        return _with(row, None, lack)
    found = _difference(metric, baseline, candidate)
    if found is None:
        return _with(row, None, "too few requests for an interval with two ends")
    lack = _few_events(values)
    if metric.name == ERRORS:
        lack = lack or _hidden(found, baseline, candidate)
    return _with(row, found, lack, harmful=metric.harmful)


def _with(row: Row, found: Interval | None, lack: str | None, *, harmful: bool = True) -> Row:
    before, after = row.baseline.value, row.candidate.value
    return Row(
        metric=row.metric,
        unit=row.unit,
        baseline=row.baseline,
        candidate=row.candidate,
        difference=None if before is None or after is None else after - before,
        low=None if found is None else found.low,
        high=None if found is None else found.high,
        finding=Finding.TOO_LITTLE if found is None or lack else judge(found, harmful=harmful),
        reason=lack,
    )


def judge(found: Interval, *, harmful: bool) -> Finding:
    """Return what the interval of a difference says, where there is enough data for one."""
    if found.low <= 0 <= found.high:
        return Finding.NONE_SHOWN
    if not harmful:
        return Finding.DIFFERENT
    return Finding.WORSE if found.low > 0 else Finding.BETTER


def _value(metric: Metric, side: Measured) -> Value:
    sums = side.sums.get(metric.name, Sums())
    if sums.lots == 0:
        return Value(None, 0)
    requests = round(sums.n)
    match metric:
        case Rate():
            return Value(sums.average, requests, round(sums.x))
        case Mean():
            return Value(metric.times * sums.average, requests)
        case _:
            return Value(side.times[metric.column].quantile(metric.share), requests)


def _lack(metric: Metric, side: Measured) -> str | None:
    sums = side.sums.get(metric.name, Sums())
    if sums.lots == 0:
        return f"{side.variant} has none"
    if sums.effective < LEAST_UNITS:
        units = min(sums.units, sums.n)  # a metric has no more than requests
        if units < LEAST_UNITS:
            return f"{side.variant} has {units:.0f} of {LEAST_UNITS:.0f} units"
        return f"most of {side.variant}'s requests are of a few units"
    return None


def _few_events(values: tuple[Value, Value]) -> str | None:
    events = sum(each.events or 0 for each in values)
    without = sum(each.requests for each in values) - events
    if values[0].events is None or min(events, without) >= LEAST_EVENTS:
        return None
    if events < LEAST_EVENTS:
        return f"it happened {times(events)} in both together"
    return f"it did not happen {times(without)} in both together"


def times(count: int) -> str:
    """Return how often."""
    return "once" if count == 1 else f"{count} times"


def _hidden(found: Interval, baseline: Measured, candidate: Measured) -> str | None:
    """Say so where failures that fallbacks hid, counted as errors, would change the finding."""
    shift = _fell_back(candidate) - _fell_back(baseline)
    counted = Interval(*(part + shift for part in found))
    if judge(counted, harmful=True) is judge(found, harmful=True):
        return None
    return "the failures that fallbacks hid, counted as errors, would change what it comes to"


def _fell_back(side: Measured) -> float:
    """Return by how much the error rate were higher, had each request that fell back failed."""
    hidden, sums = side.left_out.get("fallback", 0), side.sums[ERRORS]
    return hidden * (1 - sums.average) / (sums.n + hidden)


def _difference(metric: Metric, baseline: Measured, candidate: Measured) -> Interval | None:
    first, second = baseline.sums[metric.name], candidate.sums[metric.name]
    match metric:
        case Rate():
            return rate_difference(first, second)
        case Mean():
            return Interval(*(metric.times * part for part in mean_difference(first, second)))
        case _:
            before = quantiles.quantile(baseline.times[metric.column], metric.share, first)
            after = quantiles.quantile(candidate.times[metric.column], metric.share, second)
            return difference(before, after) if before and after else None
