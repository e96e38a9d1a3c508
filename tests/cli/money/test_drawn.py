"""Money for people: what is unknown is said, and no amount is lost in rounding."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from proxy.cli.money.drawn import budgets, costs, dollars
from proxy.controlplane.admin import models
from tests.cli.drawing.test_bars import lines

UNKNOWN = "The cost of 2 of 12 requests is unknown, without a price or a count:"
ENDS = datetime(2026, 12, 1, tzinfo=UTC)


def spent(**said: Any) -> models.Spending:
    nothing = dict.fromkeys(("day", "route", "variant", "key"))
    sums = {"requests": 4, "unpriced": 0, "cost_usd": 12.5, "shadow_usd": 0.0}
    return models.Spending.model_validate(nothing | sums | said)


def told(by: Any, *rows: models.Spending, **total: Any) -> list[str]:
    found = models.Costs(
        since=date(2026, 10, 23), by=by, spending=list(rows), total=spent(**total)
    )
    return [" ".join(line.split()) for line in lines(costs(found), 100)]


def test_each_group_has_a_line_and_all_of_them_have_one() -> None:
    base = spent(route="support", variant="base")
    tuned = spent(route="support", variant="ft", unpriced=2, cost_usd=0.000123, shadow_usd=0.0001)
    passed = spent(route="", variant="", cost_usd=1234.5)
    assert told("variant", base, tuned, passed, requests=12, unpriced=2, cost_usd=1247.0) == [
        "variant requests unknown USD of it shadows",
        "support/base 4 0 12.5000 -",
        "support/ft 4 2 0.000123 0.000100",
        "passed through 4 0 1,234.50 -",
        "all 12 2 1,247.00 -",
        f"{UNKNOWN} give their variants `prices`.",
    ]


def test_a_sum_of_which_all_is_unknown_is_a_question_mark_and_not_zero() -> None:
    assert told("route", spent(route="r", unpriced=4, cost_usd=0.0))[1] == "r 4 4 ? -"
    assert told("route", spent(route="r", cost_usd=0.0))[1] == "r 4 0 0.00 -"


def test_days_keys_and_routes_are_named_as_people_do() -> None:
    assert told("day", spent(day=date(2026, 11, 22)))[1].startswith("2026-11-22 4")
    assert told("key", spent(key=""))[1].startswith("no key 4")
    assert told("key", spent(key="mobile"))[1].startswith("mobile 4")
    assert told("route", spent(route="support"))[1].startswith("support 4")


def test_where_nothing_was_spent_that_is_said() -> None:
    assert told("route") == ["Nothing was spent since 2026-10-23, as far as it is on record."]


@pytest.mark.parametrize(
    ("usd", "written"),
    [
        (None, "?"),
        (0.0, "0.00"),
        (0.0000153, "0.000015"),
        (1.5, "1.5000"),
        (12_345.678, "12,345.68"),
    ],
)
def test_an_amount_has_as_many_places_as_it_takes(usd: float | None, written: str) -> None:
    assert dollars(usd) == written


def test_a_budget_says_what_is_spent_and_until_when_requests_are_refused() -> None:
    def budget(spent_usd: float, *, stopped: bool = False) -> models.BudgetState:
        return models.BudgetState(
            scope="route",
            name="support",
            usd=100.0,
            per="month",
            stop=True,
            spent_usd=spent_usd,
            ends=ENDS,
            stopped=stopped,
        )

    drawn = lines(budgets([budget(12.0), budget(85.0), budget(101.0, stopped=True)]), 100)
    assert [" ".join(line.split()) for line in drawn[-3:]] == [
        "route support 12.0000 of 100 USD a month (12%)",
        "route support 85.0000 of 100 USD a month (85%)",
        "route support 101.00 of 100 USD a month (101%) refused until 12-01 00:00 UTC",
    ]
    assert lines(budgets([]), 100) == []
