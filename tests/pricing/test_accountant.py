"""Budgets: what is spent of them, who is told when, and what ends with a period."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from proxy.exchange.observation import Observation
from proxy.pricing import Accountant, Budget, day_of
from proxy.pricing.accountant import Purse, spent_by
from tests.support.observed import observed

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
DAY = 86_400.0
MONTHLY = Budget(scope="route", name="support", usd=100.0, stop=True)
DAILY = Budget(scope="key", name="mobile", usd=10.0, per="day")


def spent(usd: float | None, at: float = NOW, **more: object) -> Observation:
    facts: dict[str, Any] = {
        "route": "support",
        "key_name": "mobile",
        "started_at": at,
        "cost_usd": usd,
    }
    return observed(**(facts | more))


def taken(accountant: Accountant, usd: float, at: float = NOW) -> list[tuple[str, float]]:
    one = spent(usd, at)
    accountant.add(one)
    return [(each.standing.budget.name, each.level) for each in accountant.crossed(one, at)]


def test_each_level_is_told_once() -> None:
    accountant = Accountant([MONTHLY])
    told = [taken(accountant, 30.0) for _ in range(5)]
    assert told == [[], [], [("support", 0.8)], [("support", 1.0)], []]


def test_who_jumps_over_a_level_is_told_of_the_highest_alone() -> None:
    accountant = Accountant([MONTHLY])
    assert taken(accountant, 150.0) == [("support", 1.0)]
    assert taken(accountant, 1.0) == []


def test_route_and_key_each_have_their_own() -> None:
    accountant = Accountant([MONTHLY, DAILY])
    assert taken(accountant, 9.0) == [("mobile", 0.8)]
    others = spent(90.0, key_name="web", route="other")
    accountant.add(others)
    assert accountant.crossed(others, NOW) == []
    assert [each.spent for each in accountant.standings(NOW)] == [9.0, 9.0]


def test_a_day_ends_at_midnight_and_a_month_with_its_last_day() -> None:
    accountant = Accountant([MONTHLY, DAILY])
    taken(accountant, 100.0)
    month, day = accountant.standings(NOW)
    assert month.stopped
    assert not day.stopped  # it only tells
    assert day.ends == datetime(2026, 11, 23, tzinfo=UTC).timestamp()
    assert month.ends == datetime(2026, 12, 1, tzinfo=UTC).timestamp()
    assert [each.spent for each in accountant.standings(day.ends)] == [100.0, 0.0]
    assert [each.spent for each in accountant.standings(month.ends)] == [0.0, 0.0]
    assert taken(accountant, 100.0, month.ends) == [("support", 1.0), ("mobile", 1.0)]


def test_a_budget_that_is_raised_begins_to_tell_again_and_lets_requests_through() -> None:
    accountant = Accountant([MONTHLY])
    taken(accountant, 100.0)
    accountant.adopt([replace(MONTHLY, usd=120.0)])
    (raised,) = accountant.standings(NOW)
    assert not raised.stopped
    assert raised.used == pytest.approx(100 / 120)
    assert taken(accountant, 0.0) == [("support", 0.8)]


def test_what_is_unknown_adds_nothing() -> None:
    assert spent_by(spent(None)) == {}
    assert spent_by(spent(0.0)) == {}
    assert set(spent_by(spent(1.0, route=None))) == {("key", "mobile", day_of(NOW))}
    assert set(spent_by(spent(1.0, key_name=None))) == {("route", "support", day_of(NOW))}


def test_what_is_forgotten_is_what_was_over_before() -> None:
    accountant = Accountant([MONTHLY])
    taken(accountant, 100.0, NOW - DAY)
    accountant.forget(day_of(NOW))
    assert accountant.standing(MONTHLY, NOW).spent == 0.0
    assert taken(accountant, 100.0) == []  # of this month, all that could be told was
    accountant.forget(day_of(NOW) + 40)
    assert taken(accountant, 100.0) == [("support", 1.0)]


def test_levels_that_were_reached_before_are_not_told_again() -> None:
    accountant = Accountant([MONTHLY, DAILY])
    purse: Purse = ("route", "support", day_of(NOW - DAY))
    accountant.count({purse: 85.0}, {})
    accountant.told_before(NOW)
    assert taken(accountant, 1.0) == []
    assert taken(accountant, 14.0) == [("support", 1.0), ("mobile", 1.0)]
    month_later = NOW + 30 * DAY
    assert taken(accountant, 85.0, month_later) == [("support", 0.8), ("mobile", 1.0)]


def test_a_level_that_was_reached_with_what_was_seen_here_is_told() -> None:
    accountant = Accountant([MONTHLY])
    purse: Purse = ("route", "support", day_of(NOW))
    assert taken(accountant, 10.0) == []
    accountant.count({purse: 85.0}, {purse: 10.0})
    accountant.told_before(NOW)
    assert taken(accountant, 0.0) == [("support", 0.8)]


@given(
    st.lists(
        st.tuples(st.sampled_from(["here", "elsewhere", "keep", "count"]), st.integers(1, 50))
    )
)
def test_with_all_kept_the_sum_is_what_all_hosts_spent_once_it_is_counted(
    story: list[tuple[str, int]],
) -> None:
    """Hosts share what is kept; what this one saw and did not keep yet counts here at once."""
    accountant = Accountant([MONTHLY])
    purse: Purse = ("route", "support", day_of(NOW))
    kept: dict[Purse, float] = {}
    ours: dict[Purse, float] = {}
    waiting: list[float] = []
    here = elsewhere = counted_elsewhere = 0.0
    for what, usd in [*story, ("keep", 1), ("count", 1)]:
        if what == "here":
            accountant.add(spent(float(usd)))
            waiting.append(float(usd))
            here += usd
        elif what == "elsewhere":
            kept[purse] = kept.get(purse, 0.0) + usd
            elsewhere += usd
        elif what == "keep":
            for each in (kept, ours):
                each[purse] = each.get(purse, 0.0) + sum(waiting)
            waiting.clear()
        else:
            accountant.count(kept.copy(), ours.copy())
            counted_elsewhere = elsewhere
        assert accountant.standing(MONTHLY, NOW).spent == here + counted_elsewhere
