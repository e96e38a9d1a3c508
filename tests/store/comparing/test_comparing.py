"""What the database adds up and puts in order is what one would by hand, on both databases."""

import math
import random
from collections import defaultdict
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, event

from proxy.exchange.observation import Observation, Usage
from proxy.exchange.outcome import Outcome
from proxy.experiments import Measured, Sums
from proxy.store.comparing import Comparing, TooLong
from proxy.store.comparing.window import STRETCHES, stretches
from proxy.store.observations import Keeping
from tests.support.observed import observed

SINCE, UNTIL = 1_000.0, 2_000.0


def seen(number: int, **parts: Any) -> Observation:
    said: dict[str, Any] = {
        "request_id": f"req-{number}",
        "started_at": SINCE + number % 1000,
        "route": "support",
        "variant_assigned": "base",
        "variant_served": "base",
        "bucket": number,
        "usage": Usage(10, 20),
    }
    return observed(**said | parts)


def measured(engine: Engine, *variants: str, seconds: float = 60.0) -> list[Measured]:
    return Comparing(engine, seconds=seconds).measure("support", variants, SINCE, UNTIL)


def traffic(count: int) -> list[Observation]:
    """Return 40 units' requests, some failed, some streams, some with signals."""
    dice = random.Random(7)
    found = []
    for number in range(count):
        unit = int(40 * dice.random() ** 2)
        variant = "ft" if unit % 2 else "base"
        each = seen(
            number,
            variant_assigned=variant,
            variant_served=variant,
            bucket=unit,
            latency_ms=dice.lognormvariate(5, 1),
            ttft_ms=dice.uniform(1, 90) if dice.random() < 0.5 else None,
            cost_usd=dice.random() / 100 if dice.random() < 0.8 else None,
            usage=Usage(dice.randrange(500), dice.randrange(90) if dice.random() < 0.9 else None),
            signals=("short",) if dice.random() < 0.1 else (),
            format_check=dice.choice((None, "kept", "broken", "unchecked")),
            alerts=("slow",) if dice.random() < 0.1 else (),
        )
        if dice.random() < 0.1:
            each = replace(each, outcome=Outcome.UPSTREAM_ERROR, status=502, signals=())
        found.append(each)
    return found


def by_hand(pairs: list[tuple[int, float, float]]) -> Sums:
    """Add up (unit, n, x)."""
    n: dict[int, float] = defaultdict(float)
    x: dict[int, float] = defaultdict(float)
    for unit, one, other in pairs:
        n[unit] += one
        x[unit] += other
    units = [(n[unit], x[unit]) for unit in n if n[unit]]
    return Sums(
        len(units),
        sum(n for n, _ in units),
        sum(x for _, x in units),
        sum(n * n for n, _ in units),
        sum(x * x for _, x in units),
        sum(x * n for n, x in units),
    )


def near(sums: Sums) -> Any:
    return pytest.approx([getattr(sums, name) for name in Sums.__struct_fields__])


def parts(sums: Sums) -> list[float]:
    return [getattr(sums, name) for name in Sums.__struct_fields__]


def test_sums_by_unit_are_those_that_one_gets_by_hand(engine: Engine) -> None:
    kept = traffic(3000)
    for start in range(0, 3000, 500):
        Keeping(engine).keep(kept[start : start + 500])
    found = dict(zip(("base", "ft"), measured(engine, "base", "ft"), strict=True))
    for variant, side in found.items():
        mine = [each for each in kept if each.variant_served == variant]
        done = [each for each in mine if each.outcome is Outcome.COMPLETED]
        wanted = {
            "error_rate": [(e.bucket, 1, e.outcome is not Outcome.COMPLETED) for e in mine],
            "short_rate": [(e.bucket, 1, "short" in e.signals) for e in done],
            "prompt_tokens": [(e.bucket, 1, e.usage.prompt_tokens) for e in done],
            "response_tokens": [
                (e.bucket, 1, e.usage.response_tokens)
                for e in done
                if e.usage.response_tokens is not None
            ],
            "cost_per_1000_usd": [(e.bucket, 1, e.cost_usd) for e in done if e.cost_usd],
            "format_broken_rate": [
                (e.bucket, 1, e.format_check == "broken")
                for e in mine
                if e.format_check in ("kept", "broken")
            ],
            "latency_p95_ms": [
                (e.bucket, 1, e.latency_ms <= side.sketches["latency_ms"].quantile(0.95))
                for e in done
            ],
        }
        for metric, pairs in wanted.items():
            assert parts(side.sums[metric]) == near(by_hand(pairs)), metric  # type: ignore[arg-type]
        assert side.requests == len(mine)
        assert side.units == 20
        assert side.unpriced == sum(e.cost_usd is None for e in done)


def test_values_come_in_order_with_their_ranks(engine: Engine) -> None:
    kept = [each for each in traffic(500) if each.variant_served == "base"]
    Keeping(engine).keep(kept)
    (found,) = measured(engine, "base")
    done = sorted(e.latency_ms for e in kept if e.outcome is Outcome.COMPLETED)
    sketch = found.sketches["latency_ms"]
    assert sketch.values == tuple(done)
    assert sketch.ranks == tuple(range(1, len(done) + 1))
    assert sketch.quantile(0.5) == done[math.ceil(len(done) / 2) - 1]
    assert found.sketches["ttft_ms"].n < sketch.n


def test_what_the_split_did_not_give_is_left_out_and_counted(engine: Engine) -> None:
    ways: list[dict[str, Any]] = [
        {},
        {},
        {"forced": True, "bucket": None},
        {"pinned": True},
        {"shadow_of": "req-0"},
        {"variant_served": "ft"},
        {"variant_served": None, "outcome": Outcome.UPSTREAM_ERROR, "status": 502},
        {"outcome": Outcome.CLIENT_GONE, "status": None},
        {"outcome": Outcome.REJECTED, "status": 400},
    ]
    Keeping(engine).keep([seen(number, **way) for number, way in enumerate(ways)])
    base, ft = measured(engine, "base", "ft")
    assert base.left_out == {"forced": 1, "pinned": 1, "shadow": 1, "fallback": 1}
    assert base.outcomes == {
        "completed": 2,
        "upstream_error": 1,
        "client_gone": 1,
        "rejected": 1,
    }
    assert (base.sums["error_rate"].n, base.sums["error_rate"].x) == (3, 1)
    assert (ft.requests, ft.units, ft.left_out, ft.sums) == (0, 0, {}, {})


def test_only_the_window_and_the_route_count(engine: Engine) -> None:
    times = (SINCE - 1, SINCE, UNTIL - 1, UNTIL)
    Keeping(engine).keep([seen(number, started_at=at) for number, at in enumerate(times)])
    Keeping(engine).keep([seen(9, route="sales")])
    (found,) = measured(engine, "base")
    assert found.requests == 2


def test_a_reply_with_a_status_of_failure_gives_no_signal(engine: Engine) -> None:
    cut: dict[str, Any] = {"outcome": Outcome.UPSTREAM_CUT, "signals": ("truncated",)}
    failed: dict[str, Any] = {"outcome": Outcome.UPSTREAM_ERROR, "status": 500}
    vectors: dict[str, Any] = {"dialect": "embeddings"}
    Keeping(engine).keep([seen(n, **each) for n, each in enumerate((cut, failed, vectors, {}))])
    (found,) = measured(engine, "base")
    truncated = found.sums["truncated_rate"]
    assert (truncated.n, truncated.x) == (2, 1)


def test_numbers_beyond_what_a_database_adds_up_do_not_stop_it(engine: Engine) -> None:
    Keeping(engine).keep([seen(n, usage=Usage(2**63 - 1, 5)) for n in range(3)])
    (found,) = measured(engine, "base")
    assert found.sums["prompt_tokens"].x == pytest.approx(3 * 2.0**63)


def test_an_empty_store_has_nothing_to_compare(engine: Engine) -> None:
    for found in measured(engine, "base", "ft"):
        assert (found.requests, found.units, found.left_out, found.sums) == (0, 0, {}, {})


def test_a_comparison_that_takes_too_long_is_stopped_and_says_what_to_do(engine: Engine) -> None:
    for start in range(0, 6000, 2000):
        Keeping(engine).keep([seen(start + n, bucket=n % 50) for n in range(2000)])
    with pytest.raises(TooLong, match="ask for a shorter time with --since"):
        measured(engine, "base", "ft", seconds=0.001)
    assert measured(engine, "base")[0].requests == 6000  # and the next one is answered


def test_a_comparison_that_is_under_way_at_the_end_is_stopped(engine: Engine) -> None:
    for start in range(0, 6000, 2000):
        Keeping(engine).keep([seen(start + n, bucket=n % 50) for n in range(2000)])
    comparing = Comparing(engine)
    event.listen(engine, "before_cursor_execute", lambda *_: comparing.close(), once=True)
    for _ in ("under way", "too late"):
        with pytest.raises(TooLong):
            comparing.measure("support", ["base", "ft"], SINCE, UNTIL)


def test_one_comparison_at_a_time(engine: Engine) -> None:
    comparing = Comparing(engine, seconds=0.05)
    with comparing._busy, pytest.raises(TooLong, match="another comparison is under way"):
        comparing.measure("support", ["base"], SINCE, UNTIL)


@pytest.mark.parametrize(
    ("blocks", "found"),
    [
        ([], []),
        ([7], [(7, 7)]),
        ([3, 1, 2], [(1, 3)]),
        ([1, 2, 5, 9, 10], [(1, 2), (5, 5), (9, 10)]),
    ],
)
def test_blocks_in_a_row_are_one_stretch(blocks: list[int], found: list[tuple[int, int]]) -> None:
    assert stretches(blocks) == found


def test_of_very_many_stretches_the_largest_gaps_stay() -> None:
    blocks = [10 * number for number in range(100)] + [5000]
    found = stretches(blocks)
    assert len(found) == STRETCHES
    assert found[-1] == (5000, 5000)
    assert all(any(first <= each <= last for first, last in found) for each in blocks)
