"""What is kept is summarised, once, and added up over any window; on both databases."""

from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from proxy.exchange.observation import Observation, Usage
from proxy.exchange.outcome import Outcome
from proxy.experiments import Measured
from proxy.experiments.summaries.slots import SLOT
from proxy.store.observations import Keeping
from proxy.store.summaries import Comparing, Folding
from proxy.store.summaries.folding import MOST
from proxy.store.tables import INCREMENTS, SUMMARIES
from tests.support.observed import observed

SINCE, UNTIL = 10 * SLOT, 12 * SLOT
DAY = 86_400.0


def seen(number: int, **parts: Any) -> Observation:
    said: dict[str, Any] = {
        "request_id": f"req-{number}",
        "started_at": SINCE + number % SLOT,
        "route": "support",
        "variant_assigned": "base",
        "variant_served": "base",
        "bucket": number,
        "latency_ms": 50.0 + number % 100,
        "usage": Usage(10, 20),
    }
    return observed(**said | parts)


def measured(engine: Engine, *variants: str) -> list[Measured]:
    return Comparing(engine).measure("support", variants, SINCE, UNTIL)


def folding(engine: Engine, now: float = UNTIL) -> Folding:
    return Folding(engine, seconds=DAY, wall=lambda: now)


def rows(engine: Engine) -> tuple[int, int]:
    """Return how many summaries and how many increments there are."""
    with engine.connect() as connection:
        counts = [
            connection.scalar(select(func.count()).select_from(table))
            for table in (SUMMARIES, INCREMENTS)
        ]
    return counts[0] or 0, counts[1] or 0


def test_what_was_just_kept_is_compared_and_folding_changes_nothing_of_it(engine: Engine) -> None:
    keeping = Keeping(engine)
    keeping.keep([seen(number) for number in range(100)])
    ft = {"variant_assigned": "ft", "variant_served": "ft"}
    keeping.keep([seen(number, **ft) for number in range(100, 120)])
    before = measured(engine, "base", "ft")
    assert [each.requests for each in before] == [100, 20]
    assert rows(engine) == (0, 2)
    assert not folding(engine).fold()
    assert rows(engine) == (2, 0)
    after = measured(engine, "base", "ft")
    assert [each.sums for each in after] == [each.sums for each in before]
    keeping.keep([seen(number) for number in range(200, 250)])
    assert measured(engine, "base")[0].requests == 150
    folding(engine).fold()
    found = measured(engine, "base")[0]
    assert (found.requests, found.units) == (150, 150)
    assert found.sums["prompt_tokens"].average == 10


def test_what_comes_twice_counts_once(engine: Engine) -> None:
    batch = [seen(number) for number in range(10)]
    Keeping(engine).keep(batch)
    Keeping(engine).keep([*batch, seen(10)])
    assert measured(engine, "base")[0].requests == 11


def test_what_could_not_be_kept_counts_for_nothing(engine: Engine) -> None:
    keeping = Keeping(engine)
    with pytest.raises(TypeError):
        keeping.keep([seen(1), seen(2, endpoint=object())])
    assert measured(engine, "base")[0].requests == 0
    assert keeping.keep([seen(1)]) > 0
    assert measured(engine, "base")[0].requests == 1


def test_two_writers_add_to_one_summary(engine: Engine) -> None:
    first, second = Keeping(engine), Keeping(engine)
    for number in range(3):
        first.keep([seen(2 * number)])
        folding(engine).fold()
        second.keep([seen(2 * number + 1)])
    folding(engine).fold()
    assert rows(engine) == (1, 0)
    assert measured(engine, "base")[0].requests == 6


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
        {"route": None, "variant_assigned": None},
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


@pytest.mark.parametrize("folded", [False, True])
def test_only_the_window_and_the_route_count(engine: Engine, folded: bool) -> None:  # noqa: FBT001  # a parameter
    times = (SINCE - 1, SINCE, UNTIL - 1, UNTIL)
    Keeping(engine).keep([seen(number, started_at=at) for number, at in enumerate(times)])
    Keeping(engine).keep([seen(9, route="sales")])
    if folded:
        folding(engine).fold()
    assert measured(engine, "base")[0].requests == 2


def test_summaries_go_when_they_are_as_old_as_observations_may_be(engine: Engine) -> None:
    Keeping(engine).keep([seen(1), seen(2, started_at=SINCE + 2 * SLOT)])
    folding(engine).fold()
    assert rows(engine) == (2, 0)
    folding(engine, now=SINCE + DAY + 1.5 * SLOT).fold()
    assert rows(engine) == (1, 0)
    Keeping(engine).keep([seen(3)])  # too old when it comes
    folding(engine, now=SINCE + DAY + 1.5 * SLOT).fold()
    assert rows(engine) == (1, 0)


def test_many_increments_are_folded_a_part_at_a_time(engine: Engine) -> None:
    keeping = Keeping(engine)
    for number in range(MOST + 1):
        keeping.keep([seen(number)])
    assert folding(engine).fold()
    assert rows(engine) == (1, 1)
    assert not folding(engine).fold()
    assert measured(engine, "base")[0].requests == MOST + 1


def test_an_empty_store_has_nothing_to_compare(engine: Engine) -> None:
    for found in measured(engine, "base", "ft"):
        assert (found.requests, found.units, found.left_out, found.sums) == (0, 0, {}, {})
