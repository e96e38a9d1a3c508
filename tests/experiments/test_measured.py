"""What a summary says of a variant is what one gets by hand, lot by lot."""

import random
from collections import defaultdict
from typing import Any

import pytest

from proxy.exchange.observation import Observation, Usage
from proxy.exchange.outcome import Outcome
from proxy.experiments import Increment, Measured, Summary, Sums, count, counting, measured
from proxy.experiments.summaries import LOTS
from tests.experiments.test_scope import Exchanges
from tests.support.observed import observed


def traffic(many: int) -> list[Observation]:
    """Return 40 units' requests, some failed, some streams, some with signals."""
    dice = random.Random(7)
    found = []
    for number in range(many):
        failed = dice.random() < 0.1
        found.append(
            observed(
                request_id=f"req-{number}",
                bucket=LOTS * number + int(40 * dice.random() ** 2),
                outcome=Outcome.UPSTREAM_ERROR if failed else Outcome.COMPLETED,
                status=502 if failed else 200,
                variant_assigned="base",
                variant_served="base",
                dialect="chat",
                latency_ms=dice.lognormvariate(5, 1),
                ttft_ms=dice.uniform(1, 90) if dice.random() < 0.5 else None,
                cost_usd=dice.random() / 100 if dice.random() < 0.8 else None,
                usage=Usage(
                    dice.randrange(500), dice.randrange(90) if dice.random() < 0.9 else None
                ),
                signals=("short",) if dice.random() < 0.1 and not failed else (),
            )
        )
    return found


def sort_of(seen: Observation) -> Exchanges:
    return Exchanges(outcome=seen.outcome, dialect=seen.dialect, signals=seen.signals)


def summary_of(kept: list[Observation]) -> Summary:
    summary, increment = Summary(), Increment()
    for seen in kept:
        count(increment, counting(sort_of(seen)), seen)
    summary.add(increment)
    return summary


def by_hand(pairs: list[tuple[Observation, float]], units: int) -> Sums:
    n: dict[int, float] = defaultdict(float)
    x: dict[int, float] = defaultdict(float)
    for seen, value in pairs:
        assert seen.bucket is not None
        n[seen.bucket % LOTS] += 1
        x[seen.bucket % LOTS] += value
    return Sums.of([(n[lot], x[lot]) for lot in n], units)


def parts(sums: Sums) -> list[float]:
    return [getattr(sums, name) for name in Sums.__struct_fields__]


def test_sums_by_lot_are_those_that_one_gets_by_hand() -> None:
    kept = traffic(2000)
    found = measured("base", summary_of(kept))
    done = [each for each in kept if each.outcome is Outcome.COMPLETED]
    p95 = found.times["latency_ms"].quantile(0.95)
    wanted: dict[str, list[tuple[Observation, Any]]] = {
        "error_rate": [(e, e.outcome is not Outcome.COMPLETED) for e in kept],
        "short_rate": [(e, "short" in e.signals) for e in done],
        "prompt_tokens": [(e, e.usage.prompt_tokens) for e in done],
        "response_tokens": [
            (e, e.usage.response_tokens) for e in done if e.usage.response_tokens is not None
        ],
        "cost_per_1000_usd": [(e, e.cost_usd) for e in done if e.cost_usd],
    }
    for metric, pairs in wanted.items():
        mine = by_hand(pairs, found.units)
        assert parts(found.sums[metric]) == pytest.approx(parts(mine), rel=1e-5), metric
    assert found.sums["latency_p95_ms"].average == pytest.approx(0.95, abs=0.001)
    assert sum(e.latency_ms <= p95 for e in done) == pytest.approx(0.95 * len(done), rel=0.02)
    assert found.requests == len(kept)
    assert found.outcomes == {"completed": len(done), "upstream_error": len(kept) - len(done)}
    assert found.unpriced == sum(e.cost_usd is None for e in done)
    assert found.times["ttft_ms"].n == sum(e.ttft_ms is not None for e in done)


def test_nothing_is_measured_as_nothing() -> None:
    found = measured("ft", Summary())
    assert (found.requests, found.units, found.sums, found.left_out) == (0, 0, {}, {})
    assert isinstance(found, Measured)
