"""From an alert to a notice: folded, repeated, silenced, over; at a time of the test's."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from proxy.alerting import Notice, State
from proxy.config.settings import Notify
from proxy.controlplane import telling as module
from proxy.controlplane.telling import Telling
from proxy.exchange.observation import Bodies
from tests.support.noticed import NOW, alert, on, slow, window

BOOKS = "https://example.com/runbooks"


class Told:
    """Notifiers that keep what they are handed."""

    def __init__(self) -> None:
        self.there = True
        self.notices: list[Notice] = []
        self.new: list[Notice] = []
        self.before: list[Notice] = []
        self.left = False
        self.news = asyncio.Event()

    def adopt(self, notify: Notify, firing: Iterable[Notice]) -> None:
        self.new = list(firing)

    def take(self, notice: Notice) -> None:
        self.notices.append(notice)
        self.news.set()

    def heard(self, notice: Notice) -> None:
        self.before.append(notice)

    def let_go(self) -> None:
        self.left = True

    def states(self) -> list[tuple[str, str | None]]:
        return [(each.state.value, each.route) for each in self.notices]


class House:
    """Telling with a clock by hand; `silent` are the routes that a person silenced."""

    def __init__(self, clock: Callable[[], float] | None = None, **notify: Any) -> None:
        self.now = 0.0
        self.silent: set[str | None] = set()
        self.told = Told()
        self.telling = Telling(
            self.told,
            clock=clock or (lambda: self.now),
            silenced=lambda notice: notice.route in self.silent,
        )
        self.telling.adopt(Notify(runbooks=BOOKS, **notify))

    async def turn(self) -> None:
        """Let it do what is due."""
        async with asyncio.timeout(10):
            task = asyncio.create_task(self.telling.run())
            for _ in range(5):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def test_the_first_alert_is_told_at_once_with_its_id_and_its_runbook() -> None:
    house = House()
    house.telling.alert(alert())
    (told,) = house.told.notices
    assert (told.id, told.runbook) == ("req-1-slow", f"{BOOKS}/slow.md")
    assert told.key == slow().key


def test_what_may_wait_for_a_notifier_holds_no_bodies() -> None:
    house, raised = House(), alert()
    seen = replace(raised.observation, bodies=Bodies(request=b"x" * 1000))
    house.telling.alert(replace(raised, observation=seen))
    (told,) = house.told.notices
    assert told.observation == raised.observation


async def test_repeats_are_told_as_one_when_their_window_ends() -> None:
    house = House(fold_seconds=60.0)
    for number in range(6):
        house.telling.alert(alert(number=number, at=NOW + number))
    await house.turn()
    assert [each.count for each in house.told.notices] == [1]
    house.now = 60.0
    await house.turn()
    assert [each.count for each in house.told.notices] == [1, 5]
    assert house.told.notices[1].request_ids == ("req-1", "req-2", "req-3", "req-4", "req-5")


def test_at_the_end_the_repeats_that_wait_are_told() -> None:
    house = House()
    for number in range(4):
        house.telling.alert(alert(number=number))
    house.telling.end()
    assert [each.count for each in house.told.notices] == [1, 3]


def test_without_anybody_to_tell_nothing_is_folded() -> None:
    house = House()
    house.told.there = False
    house.telling.alert(alert())
    house.told.there = True
    house.telling.alert(alert())
    assert len(house.told.notices) == 1


def test_what_fires_is_told_once_and_so_is_its_end() -> None:
    house = House()
    for value in (6.0, 7.0, 8.0):
        house.telling.notice(window(value=value))
    house.telling.notice(window(State.RESOLVED))
    assert [(each.state.value, each.value) for each in house.told.notices] == [
        ("firing", 6.0),
        ("resolved", 7.5),
    ]


async def test_what_still_fires_is_told_again_with_what_is_known_by_then() -> None:
    house = House(repeat_seconds=100.0)
    house.telling.notice(window(value=6.0))
    house.telling.notice(window(value=8.0))
    for now in (99.0, 100.0, 199.0, 200.0):
        house.now = now
        await house.turn()
    assert [each.value for each in house.told.notices] == [6.0, 8.0, 8.0]
    assert len({each.id for each in house.told.notices}) == 3
    house.telling.notice(window(State.RESOLVED))
    house.now = 1000.0
    await house.turn()
    assert len(house.told.notices) == 4


async def test_what_is_never_to_be_repeated_is_not() -> None:
    house = House(repeat_seconds=0.0)
    house.telling.notice(window())
    house.now = 1e9
    await house.turn()
    assert len(house.told.notices) == 1


def test_what_fires_anew_is_told_anew() -> None:
    house = House()
    house.telling.notice(window())
    house.telling.notice(window(first_at=NOW + 600.0))
    assert len({each.id for each in house.told.notices}) == 2


async def test_what_is_silenced_is_told_once_the_silence_is_over_if_it_still_fires() -> None:
    house = House()
    house.silent = {"a", "b", "support"}
    house.telling.notice(on("a"))
    house.telling.notice(on("b"))
    house.telling.alert(alert())
    await house.turn()
    assert house.told.notices == []
    house.telling.notice(on("b", State.RESOLVED))
    house.silent = set()
    await house.turn()
    assert house.told.states() == [("resolved", "b"), ("firing", "a")]


async def test_it_looks_by_itself_whether_a_silence_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    house = House(clock=asyncio.get_running_loop().time)
    house.silent = {"a"}
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(house.telling.run())
        house.telling.notice(on("a"))
        await asyncio.sleep(0)
        house.silent = set()
        await house.told.news.wait()
        running.cancel()
    assert house.told.states() == [("firing", "a")]


async def test_a_windows_end_wakes_it() -> None:
    house = House(clock=asyncio.get_running_loop().time, fold_seconds=0.02)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(house.telling.run())
        house.telling.alert(alert())
        house.telling.alert(alert())
        house.told.news.clear()
        await house.told.news.wait()
        running.cancel()
    assert [each.count for each in house.told.notices] == [1, 1]


def test_what_fired_before_was_told_unless_it_is_silenced() -> None:
    house = House()
    house.silent = {"b"}
    house.telling.resume(on("a"))
    house.telling.resume(on("b"))
    assert [(each.route, each.runbook) for each in house.told.before] == [
        ("a", f"{BOOKS}/error_rate.md")
    ]
    assert house.told.notices == []


def test_who_is_new_is_told_what_fires_but_not_what_is_silenced() -> None:
    house = House()
    house.silent = {"b"}
    house.telling.notice(on("a"))
    house.telling.notice(on("b"))
    house.telling.adopt(Notify())
    assert [each.route for each in house.told.new] == ["a"]


async def test_another_time_between_repeats_holds_for_what_fires_already() -> None:
    house = House(repeat_seconds=10_000.0)
    house.telling.notice(window())
    house.telling.adopt(Notify(repeat_seconds=10.0))
    house.now = 10.0
    await house.turn()
    assert len(house.told.notices) == 2


async def test_what_it_has_let_go_is_not_repeated_but_single_exchanges_are_told() -> None:
    house = House(repeat_seconds=3600.0)
    house.telling.notice(window())
    house.telling.let_go()
    house.now = 3600.0
    await house.turn()
    house.telling.alert(alert())
    assert [each.name for each in house.told.notices] == ["error_rate", "slow"]
    assert house.told.left
