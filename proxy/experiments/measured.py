"""Measured: what a summary says of one variant's exchanges, as far as a comparison needs it."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from proxy.experiments.metrics import METRICS, QUANTILES, Mean, Quantile, Rate
from proxy.experiments.quantiles import Histogram
from proxy.experiments.summaries import Summary
from proxy.experiments.sums import Sums


class Measured(Struct, frozen=True, kw_only=True):
    """One variant in one window of time."""

    variant: str
    requests: int = 0  # that the comparison is of, however they ended
    units: int = 0  # that they came from
    outcomes: Mapping[str, int] = {}  # of these requests
    left_out: Mapping[str, int] = {}  # requests that it is not of, by why
    unpriced: int = 0  # completed requests whose cost is unknown
    sums: Mapping[str, Sums] = {}  # by metric
    times: Mapping[str, Histogram] = {}  # by column


def measured(variant: str, summary: Summary) -> Measured:
    """Return what a summary of a variant's exchanges says."""
    outcomes = _counts(summary, "outcome.")
    times = {each.column: _histogram(summary, each.column) for each in QUANTILES}
    return Measured(
        variant=variant,
        requests=sum(outcomes.values()),
        units=summary.units,
        outcomes=outcomes,
        left_out=_counts(summary, "left_out."),
        unpriced=summary.total("unpriced"),
        sums=dict(_sums(summary, times)),
        times=times,
    )


def _counts(summary: Summary, prefix: str) -> dict[str, int]:
    return {said: summary.total(name) for said, name in summary.names(prefix).items()}


def _histogram(summary: Summary, column: str) -> Histogram:
    bins = _counts(summary, f"{column}.")
    return Histogram({int(number): many for number, many in bins.items()})


def _sums(summary: Summary, times: Mapping[str, Histogram]) -> Iterator[tuple[str, Sums]]:
    units = summary.units
    for metric in METRICS:
        match metric:
            case Rate():
                pairs = _rate(summary, metric)
            case Mean():
                pairs = _mean(summary, metric)
            case _:
                pairs = _quantile(summary, metric, times[metric.column])
        found = Sums.of(pairs, units)
        if found.lots:
            yield metric.name, found


def _rate(summary: Summary, rate: Rate) -> Iterator[tuple[float, float]]:
    return zip(summary.lots(f"of.{rate.of}"), summary.lots(rate.name), strict=True)


def _mean(summary: Summary, mean: Mean) -> Iterator[tuple[float, float]]:
    for n, x in zip(summary.lots(f"{mean.name}.n"), summary.lots(mean.name), strict=True):
        yield n, x / mean.scale


def _quantile(
    summary: Summary, quantile: Quantile, times: Histogram
) -> Iterator[tuple[float, float]]:
    """Yield of each lot how many times it has, and how many of them the quantile holds."""
    if not times.n:
        return
    below, at, part = times.below(quantile.share)
    n = summary.lots(*summary.names(f"{quantile.column}.").values())
    inside = summary.lots(*(f"{quantile.column}.{number}" for number in below))
    split = summary.lots(f"{quantile.column}.{at}")
    for many, under, some in zip(n, inside, split, strict=True):
        yield many, under + part * some
