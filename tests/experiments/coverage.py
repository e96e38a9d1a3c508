"""How often the intervals of a comparison hold the truth, by simulation.

    python -m tests.experiments.coverage [--rounds 2000]

Each round draws a baseline and a candidate by a scenario and asks each method for the interval of
their difference; a 95 % interval should hold the true difference in 95 of 100 rounds. Beside it
stands what the textbook's interval does that takes each request for independent.
"""

import argparse
from collections.abc import Callable, Iterator
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from proxy.experiments import quantiles
from proxy.experiments.comparison import LEAST_UNITS
from proxy.experiments.intervals import (
    NORMAL,
    Interval,
    difference,
    mean_difference,
    rate_difference,
)
from proxy.experiments.quantiles import Histogram
from proxy.experiments.summaries import LOTS
from proxy.experiments.sums import Sums

Floats = np.ndarray[Any, np.dtype[Any]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Dice = np.random.Generator
LARGE = 300_000  # units that the truth is taken from


class Drawn(NamedTuple):
    """One variant's requests: of which unit each is, whether it failed, its tokens and latency."""

    unit: Ints
    failed: Floats
    tokens: Floats
    latency: Floats


class Scenario(NamedTuple):
    """How requests come about; `alike` is the share of spread between units."""

    units: int
    sizes: Callable[[Dice, int], Ints]  # requests of each unit
    rates: tuple[float, float]  # of failures: baseline, candidate
    alike: tuple[float, float]
    sigma: float = 0.8  # of the logarithm of a latency
    tail: float | None = None  # a Pareto factor on top of it


def one(_: Dice, units: int) -> Ints:
    return np.ones(units, dtype=np.int64)


def heavy(dice: Dice, units: int) -> Ints:
    """Most units send a few requests, some hundreds: a Pareto tail, cut at 300."""
    return np.minimum(np.ceil(dice.pareto(1.3, units) * 3 + 1e-9), 300).astype(np.int64)


def some(dice: Dice, units: int) -> Ints:
    return dice.geometric(1 / 15, units)


SCENARIOS = {
    "independent requests": Scenario(1500, one, (0.05, 0.07), (0.0, 0.0)),
    "units alike, heavy-tailed sizes": Scenario(400, heavy, (0.05, 0.07), (0.2, 0.2)),
    "rare failures, independent": Scenario(1500, one, (0.003, 0.004), (0.0, 0.0)),
    "rare failures, units alike": Scenario(600, heavy, (0.004, 0.006), (0.1, 0.1)),
    "one alike, one not": Scenario(800, heavy, (0.02, 0.02), (0.0, 0.2)),
    "few units": Scenario(30, some, (0.2, 0.3), (0.2, 0.2)),
    "heavy-tailed latencies": Scenario(500, some, (0.05, 0.05), (0.3, 0.3), sigma=1.2, tail=2.1),
}


def draw(scenario: Scenario, side: int, dice: Dice, units: int | None = None) -> Drawn:
    """Return the requests of the baseline (0) or the candidate (1)."""
    units = units or scenario.units
    unit = np.repeat(np.arange(units), scenario.sizes(dice, units))
    share, alike = scenario.rates[side], scenario.alike[side]
    if alike:
        spread = (1 - alike) / alike
        shares = dice.beta(share * spread, (1 - share) * spread, units)
    else:
        shares = np.full(units, share)
    failed = (dice.random(len(unit)) < shares[unit]).astype(np.float64)
    tokens = np.exp(_normal(dice, unit, units, alike, 0.7) + 5 + 0.1 * side)
    latency = np.exp(_normal(dice, unit, units, alike, scenario.sigma) + 6 + 0.2 * side)
    if scenario.tail is not None:
        latency *= 1 + dice.pareto(scenario.tail, len(unit))
    return Drawn(unit, failed, tokens, latency)


def _normal(dice: Dice, unit: Ints, units: int, alike: float, sigma: float) -> Floats:
    between = dice.standard_normal(units)[unit] * sqrt(alike)
    return sigma * (between + dice.standard_normal(len(unit)) * sqrt(1 - alike))


def sums(unit: Ints, x: Floats) -> Sums:
    """Return the sums over lots, into which units are put by their number: chance made them."""
    n = np.bincount(unit % LOTS, minlength=LOTS)
    xs = np.bincount(unit % LOTS, weights=x, minlength=LOTS)
    pairs = zip(map(float, n), map(float, xs), strict=True)
    return Sums.of(pairs, len(np.unique(unit)))


def histogram(latency: Floats) -> tuple[Histogram, Ints]:
    """Return how many latencies are in each bin, and the bin of each."""
    bins = 1 + (np.log2(np.maximum(latency, 1)) * quantiles.TO_A_DOUBLING).astype(np.int64)
    numbers, counts = np.unique(bins, return_counts=True)
    return Histogram(dict(zip(map(int, numbers), map(int, counts), strict=True))), bins


def quantile(drawn: Drawn, share: float) -> Interval | None:
    times, bins = histogram(drawn.latency)
    _, at, part = times.below(share)
    inside = (bins < at) + part * (bins == at)
    return quantiles.quantile(times, share, sums(drawn.unit, inside))


def apart(baseline: Interval | None, candidate: Interval | None) -> Interval | None:
    return difference(baseline, candidate) if baseline and candidate else None


class Method(NamedTuple):
    """How an interval of a difference is found, and what is naively done for the same."""

    truth: Callable[[Drawn], float]
    ours: Callable[[Drawn, Drawn], Interval | None]
    naive: Callable[[Drawn, Drawn], Interval]


def _rate(first: Drawn, second: Drawn) -> Interval:
    return rate_difference(sums(first.unit, first.failed), sums(second.unit, second.failed))


def _mean(first: Drawn, second: Drawn) -> Interval:
    return mean_difference(sums(first.unit, first.tokens), sums(second.unit, second.tokens))


def _naive(values: Callable[[Drawn], Floats]) -> Callable[[Drawn, Drawn], Interval]:
    def interval(first: Drawn, second: Drawn) -> Interval:
        a, b = values(first), values(second)
        reach = NORMAL * sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
        value = float(b.mean() - a.mean())
        return Interval(value, value - reach, value + reach)

    return interval


def _quantile(share: float) -> Method:
    def naive(first: Drawn, second: Drawn) -> Interval:
        return difference(_order(first), _order(second))

    def _order(drawn: Drawn) -> Interval:
        ordered, n = np.sort(drawn.latency), len(drawn.latency)
        reach = NORMAL * sqrt(share * (1 - share) / n)
        low, high = np.clip([int(n * (share - reach)), int(n * (share + reach))], 0, n - 1)
        return Interval(float(ordered[int(n * share)]), float(ordered[low]), float(ordered[high]))

    return Method(
        lambda drawn: float(np.quantile(drawn.latency, share)),
        lambda first, second: apart(quantile(first, share), quantile(second, share)),
        naive,
    )


METHODS = {
    "rate": Method(lambda drawn: float(drawn.failed.mean()), _rate, _naive(lambda d: d.failed)),
    "mean": Method(lambda drawn: float(drawn.tokens.mean()), _mean, _naive(lambda d: d.tokens)),
    "p50": _quantile(0.5),
    "p95": _quantile(0.95),
}


def enough(pair: tuple[Drawn, Drawn]) -> bool:
    """Return whether a comparison would give any interval."""
    return min(sums(each.unit, each.failed).effective for each in pair) >= LEAST_UNITS


class Held(NamedTuple):
    """In which share of the rounds the truth was held, and in which there was an interval."""

    ours: float
    naive: float
    given: float


def held(
    name: str, methods: tuple[str, ...], rounds: int, *, units: int = LARGE
) -> dict[str, Held]:
    """Return how each method did in a scenario; the truth is that of `units`."""
    scenario, dice = SCENARIOS[name], np.random.default_rng(4)
    large = [draw(scenario, side, dice, units) for side in (0, 1)]
    truth = {
        name: METHODS[name].truth(large[1]) - METHODS[name].truth(large[0]) for name in methods
    }
    if "rate" in truth:
        truth["rate"] = scenario.rates[1] - scenario.rates[0]
    ours: dict[str, list[bool]] = {name: [] for name in methods}
    naive: dict[str, list[bool]] = {name: [] for name in methods}
    for _ in range(rounds):
        pair = draw(scenario, 0, dice), draw(scenario, 1, dice)
        for each in methods:
            found = METHODS[each].ours(*pair) if enough(pair) else None
            if found is not None:
                ours[each].append(found.low <= truth[each] <= found.high)
            plain = METHODS[each].naive(*pair)
            naive[each].append(plain.low <= truth[each] <= plain.high)
    return {
        each: Held(
            sum(ours[each]) / max(1, len(ours[each])),
            sum(naive[each]) / rounds,
            len(ours[each]) / rounds,
        )
        for each in methods
    }


def lines(rounds: int) -> Iterator[str]:
    yield "| scenario | method | holds the truth | each request for itself | interval given |"
    yield "|---|---|---|---|---|"
    for name in SCENARIOS:
        for method, found in held(name, tuple(METHODS), rounds).items():
            shares = " | ".join(f"{100 * share:.1f} %" for share in found)
            yield f"| {name} | {method} | {shares} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.coverage")
    parser.add_argument("--rounds", type=int, default=2000)
    for line in lines(parser.parse_args().rounds):
        print(line, flush=True)  # noqa: T201  # this is what it is for


if __name__ == "__main__":
    main()
