"""Budgets in control: alerts where one is nearly spent, and word to the workers where one is."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from proxy.alerting import AlertName
from proxy.channel import Spent
from proxy.controlplane import spending as module
from proxy.controlplane.spending import Spending
from proxy.errors import StoreError
from proxy.pricing import Budget, day_of
from proxy.pricing.accountant import Purse
from proxy.store.observations import Counted
from tests.support.observed import observed

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
TODAY = day_of(NOW)
MONTH_ENDS = datetime(2026, 12, 1, tzinfo=UTC).timestamp()
DAY_ENDS = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
ROUTE = Budget(scope="route", name="support", usd=10.0, stop=True)
KEY = Budget(scope="key", name="mobile", usd=5.0, per="day", stop=True)
SUPPORT: Purse = ("route", "support", TODAY)


class Shared:
    """What all have spent."""

    def __init__(self, **kept: float) -> None:
        self.kept: dict[Purse, float] = {("route", name, TODAY): kept[name] for name in kept}
        self.ours: dict[Purse, float] = {}
        self.away = False
        self.since: list[int] = []

    def count(self, since: int) -> Counted:
        self.since.append(since)
        if self.away:
            raise StoreError("the store is away")
        return Counted(kept=self.kept, ours=self.ours)


class House:
    """Spending at a time of the test's, and what workers were told."""

    def __init__(self, shared: Shared | None, *budgets: Budget) -> None:
        self.now = NOW
        self.told: list[Spent] = []
        self.spending = Spending(shared, lambda: self.now)
        self.spending.adopt(budgets)
        self.spending.tell(self.told.append)

    def paid(self, usd: float, **more: object) -> list[tuple[float, float, str | None]]:
        seen = observed(started_at=self.now, cost_usd=usd, **more)
        alerts = list(self.spending.judge(seen))
        assert all(each.name is AlertName.BUDGET for each in alerts)
        assert all(each.observation is seen for each in alerts)
        return [(each.value, each.threshold, each.about) for each in alerts]


def test_each_level_is_an_alert_and_the_last_one_stops_the_route() -> None:
    house = House(None, ROUTE)
    assert house.paid(7.9) == []
    assert house.paid(0.6) == [(8.5, 8.0, "80% of route support's 10 USD a month")]
    assert house.told == [Spent()]
    assert house.paid(2.0) == [(10.5, 10.0, "100% of route support's 10 USD a month")]
    assert house.told[1:] == [Spent(routes={"support": MONTH_ENDS})]
    assert house.paid(1.0) == []


def test_an_alert_matters_for_a_day_but_not_beyond_the_budgets_period() -> None:
    ends = [
        alert.ends_at
        for budget, labels in ((ROUTE, {}), (KEY, {"key_name": "mobile"}))
        for house in [House(None, budget)]
        for alert in house.spending.judge(observed(started_at=NOW, cost_usd=11.0, **labels))
    ]
    assert ends == [NOW + 0.8125 + 86_400.0, DAY_ENDS]


def test_without_budgets_nothing_is_said() -> None:
    house = House(None)
    assert house.paid(1000.0) == []
    assert house.told == [Spent()]
    assert house.spending.standings() == []


def test_a_budget_that_only_tells_stops_nobody() -> None:
    house = House(None, Budget(scope="route", name="support", usd=1.0))
    assert len(house.paid(2.0)) == 1
    assert house.told == [Spent()]


async def test_after_a_restart_what_was_told_is_not_told_again_and_what_is_new_is() -> None:
    house = House(Shared(support=8.5), ROUTE)
    await house.spending.count()
    assert house.paid(0.5) == []
    assert house.paid(1.0) == [(10.0, 10.0, "100% of route support's 10 USD a month")]
    again = House(Shared(support=10.0))
    await again.spending.count()  # which may be before it is known what there are budgets for
    again.spending.adopt([ROUTE])
    assert again.paid(1.0) == []


async def test_what_others_have_spent_counts_once_it_is_read() -> None:
    shared = Shared(support=9.0)
    house = House(shared, ROUTE)
    await house.spending.count()
    assert house.told == [Spent()]
    assert house.paid(1.0) == [(10.0, 10.0, "100% of route support's 10 USD a month")]
    shared.kept, shared.ours = {SUPPORT: 4.0}, {SUPPORT: 1.0}
    await house.spending.count()
    assert [each.spent for each in house.spending.standings()] == [4.0]
    assert house.told[1:] == [Spent(routes={"support": MONTH_ENDS}), Spent()]
    assert shared.since == [TODAY - 31] * 2


async def test_what_workers_refuse_stays_so_until_it_is_known_what_was_spent() -> None:
    shared = Shared(support=11.0)
    shared.away = True
    house = House(shared, ROUTE)
    await house.spending.count()
    assert house.told == [], "workers that outlived the control before were told already"
    shared.away = False
    await house.spending.count()
    assert house.told == [Spent(routes={"support": MONTH_ENDS})]


async def test_a_budget_that_went_with_the_control_before_stops_nobody_any_more() -> None:
    spending, told = Spending(Shared(support=11.0), lambda: NOW), asyncio.Queue[Spent]()
    spending.tell(told.put_nowait)
    running = asyncio.create_task(spending.run())
    async with asyncio.timeout(10):
        assert await told.get() == Spent()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_where_the_store_is_away_what_was_read_before_holds() -> None:
    shared = Shared(support=9.0)
    house = House(shared, ROUTE)
    await house.spending.count()
    shared.away = True
    await house.spending.count()
    assert [each.spent for each in house.spending.standings()] == [9.0]


async def test_a_new_period_lets_requests_through_and_so_does_a_larger_budget() -> None:
    house = House(None, ROUTE, KEY)
    house.paid(20.0, key_name="mobile")
    both = Spent(routes={"support": MONTH_ENDS}, keys={"mobile": DAY_ENDS})
    assert house.told[-1] == both
    house.now = DAY_ENDS
    await house.spending.count()
    assert house.told[-1] == Spent(routes={"support": MONTH_ENDS})
    house.spending.adopt([Budget(scope="route", name="support", usd=30.0, stop=True)])
    assert house.told[-1] == Spent()


async def test_it_keeps_up_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_SECONDS", 0.01)
    shared = Shared()
    house = House(shared)
    running = asyncio.create_task(house.spending.run())
    stopped = asyncio.Event()
    house.spending.tell(lambda spent: stopped.set() if spent.routes else None)
    house.spending.adopt([ROUTE])
    shared.kept = {SUPPORT: 10.0}
    async with asyncio.timeout(10):
        await stopped.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
