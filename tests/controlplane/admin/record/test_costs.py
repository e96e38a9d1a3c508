"""What was spent, for whoever may look."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from proxy.pricing import Budget, day_of
from proxy.store.observations import By, Spent
from tests.support.administered import administered
from tests.support.published import NOON

DAY = day_of(NOON)
BUDGET = Budget(scope="route", name="support", usd=100.0, stop=True)


class Shelf:
    """Spending on record, and what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, By]] = []

    def spent(self, since: int, by: By) -> Sequence[Spent]:
        self.asked.append((since, by))
        mobile = Spent(key="mobile", requests=3, unpriced=1, cost_usd=2.0, shadow_usd=0.0)
        nobody = Spent(key="", requests=1, unpriced=0, cost_usd=0.5, shadow_usd=0.5)
        today = Spent(day=DAY, requests=4, unpriced=1, cost_usd=2.5, shadow_usd=0.5)
        return [today] if by == "day" else [mobile, nobody]


async def test_groups_and_their_total_are_shown_from_the_day_that_is_asked_for() -> None:
    shelf = Shelf()
    since = datetime.fromtimestamp(NOON - 86_400, UTC)
    async with administered(spent=shelf) as admin:
        reply = await admin.get(f"/api/v1/cost?by=key&since={since:%Y-%m-%dT%H:%M:%SZ}")
    said = reply.json()
    assert shelf.asked == [(DAY - 1, "key")]
    assert said["since"] == f"{since:%Y-%m-%d}"
    assert [(each["key"], each["cost_usd"]) for each in said["spending"]] == [
        ("mobile", 2.0),
        ("", 0.5),
    ]
    total = said["total"]
    assert (total["requests"], total["unpriced"], total["cost_usd"]) == (4, 1, 2.5)
    assert total["key"] is None


async def test_without_more_it_is_the_last_thirty_days_by_variant_and_days_are_dates() -> None:
    shelf = Shelf()
    async with administered(spent=shelf) as admin:
        await admin.get("/api/v1/cost")
        days = (await admin.get("/api/v1/cost?by=day")).json()["spending"]
    assert shelf.asked == [(DAY - 30, "variant"), (DAY - 30, "day")]
    assert [each["day"] for each in days] == [
        f"{datetime.fromtimestamp(DAY * 86_400, UTC):%Y-%m-%d}"
    ]


@pytest.mark.parametrize("query", ["by=colour", "since=lately", "since=2026-11-22T16:40:00"])
async def test_what_can_not_be_asked_is_refused(query: str) -> None:
    async with administered(spent=Shelf()) as admin:
        assert (await admin.get(f"/api/v1/cost?{query}")).status_code == 400


async def test_without_a_store_there_is_nothing_on_record() -> None:
    async with administered() as admin:
        reply = await admin.get("/api/v1/cost")
    assert reply.status_code == 409
    assert "store: off" in reply.json()["detail"]["message"]


async def test_the_status_says_how_each_budget_stands() -> None:
    async with administered(budgets=[BUDGET]) as admin:
        (said,) = (await admin.get("/api/v1/status")).json()["budgets"]
    assert (said["scope"], said["name"], said["usd"]) == ("route", "support", 100.0)
    assert (said["spent_usd"], said["stopped"]) == (0.0, False)
