"""What was spent, in both databases: exactly what was kept, once, by all that share it."""

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, text

from proxy.errors import StoreError
from proxy.exchange.observation import Observation
from proxy.exchange.outcome import Outcome
from proxy.pricing import day_of
from proxy.store.observations import Keeping, Spending, Spent
from proxy.store.observations.spending import PAST_COUNTS
from tests.support.observed import observed

NOON = 1_795_000_000.0
TODAY = day_of(NOON)


def paid(number: int, usd: float | None = 0.25, **more: object) -> Observation:
    return observed(request_id=f"req-{number}", started_at=NOON, cost_usd=usd, **more)


def by_variant(engine: Engine) -> dict[str | None, tuple[int, int, float]]:
    found = Spending(engine).spent(TODAY, "variant")
    return {each.variant: (each.requests, each.unpriced, each.cost_usd) for each in found}


def test_a_batch_adds_what_its_observations_cost_and_counts_the_unknown(engine: Engine) -> None:
    keeping = Keeping(engine)
    keeping.keep([paid(1), paid(2, None), paid(3, 0.0), paid(4, 1.0, variant_served="ft")])
    keeping.keep([paid(5), paid(6, None, attempts=0), paid(7, None, outcome=Outcome.REJECTED)])
    assert by_variant(engine) == {"base": (4, 1, 0.5), "ft": (1, 0, 1.0)}


def test_what_is_kept_twice_is_spent_once(engine: Engine) -> None:
    first, second = Keeping(engine), Keeping(engine)
    first.keep([paid(1), paid(2)])
    second.keep([paid(2), paid(3), paid(3)])
    assert by_variant(engine) == {"base": (3, 0, 0.75)}


def test_a_batch_that_could_not_be_kept_adds_nothing(engine: Engine) -> None:
    keeping = Keeping(engine)
    keeping.keep([paid(1)])
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE spans RENAME TO away"))
    with pytest.raises(StoreError):
        keeping.keep([paid(2)])
    assert by_variant(engine) == {"base": (1, 0, 0.25)}
    assert keeping.spending.count(TODAY).ours == {("route", "support", TODAY): 0.25}


def test_hosts_share_what_is_kept_and_each_knows_its_own_part(engine: Engine) -> None:
    here, there = Keeping(engine), Keeping(engine)
    here.keep([paid(1, key_name="mobile")])
    there.keep([paid(2), replace(paid(3, 4.0), started_at=NOON - 86_400.0)])
    counted = here.spending.count(TODAY)
    mine = {("route", "support", TODAY): 0.25, ("key", "mobile", TODAY): 0.25}
    assert counted.ours == mine
    assert counted.kept == {**mine, ("route", "support", TODAY): 0.5}
    assert there.spending.count(TODAY - 1).kept[("route", "support", TODAY - 1)] == 4.0


def test_what_came_again_after_control_was_killed_counts_as_ours_for_it_is_in_there(
    engine: Engine,
) -> None:
    Keeping(engine).keep([paid(1)])
    again = Keeping(engine)
    again.keep([paid(1)])
    counted = again.spending.count(TODAY)
    assert counted.kept == counted.ours == {("route", "support", TODAY): 0.25}


def test_what_comes_late_of_a_day_long_past_is_in_both_sums_or_in_none(engine: Engine) -> None:
    keeping = Keeping(engine)
    old = TODAY - 9
    late = NOON - 9 * 86_400.0
    keeping.keep([paid(1), replace(paid(2, 4.0), started_at=late)])
    assert keeping.spending.count(old).kept[("route", "support", old)] == 4.0
    keeping.keep([paid(3), replace(paid(4, 2.0), started_at=late)])
    found = keeping.spending.count(old)
    assert found.kept[("route", "support", old)] == found.ours[("route", "support", old)] == 4.0
    assert found.kept[("route", "support", TODAY)] == 0.5
    for _ in range(PAST_COUNTS):
        found = keeping.spending.count(old)
    assert found.kept[("route", "support", old)] == found.ours[("route", "support", old)] == 6.0
    assert ("route", "support", old) not in keeping.spending.count(old + 1).kept


def test_spending_is_grouped_by_what_is_asked_for(engine: Engine) -> None:
    keeping = Keeping(engine)
    yesterday = replace(paid(4, 3.0), started_at=NOON - 86_400.0)
    shadow = paid(3, 0.5, shadow_of="req-1", variant_served="ft")
    passed = paid(5, 8.0, route=None, variant_assigned=None, variant_served=None)
    keeping.keep([paid(1, key_name="mobile"), paid(2, None), shadow, yesterday, passed])
    spending = Spending(engine)
    assert spending.spent(TODAY, "route") == [
        Spent(route="", requests=1, unpriced=0, cost_usd=8.0, shadow_usd=0.0),
        Spent(route="support", requests=3, unpriced=1, cost_usd=0.75, shadow_usd=0.5),
    ]
    assert [(each.day, each.cost_usd) for each in spending.spent(TODAY - 1, "day")] == [
        (TODAY - 1, 3.0),
        (TODAY, 8.75),
    ]
    assert [(each.key, each.cost_usd) for each in spending.spent(TODAY, "key")] == [
        ("", 8.5),
        ("mobile", 0.25),
    ]
    assert spending.spent(TODAY + 1, "variant") == []
