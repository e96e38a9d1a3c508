"""One notifier's own loop, at a time of the test's and with a receiver that does as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.alerting import Notice, State
from proxy.notifiers.delivery import Delivery, Trouble
from proxy.notifiers.delivery import delivery as module
from tests.support.noticed import NOW, on, slow, window

DOWN = Trouble("ConnectError")
FINAL = Trouble("status 404", final=True)


class Receiver:
    """Takes notices, unless there is a trouble for it: the next of the list, or a lasting one."""

    where = "receiver.example"

    def __init__(self, *troubles: Trouble | None, refresh: float | None = None) -> None:
        self.troubles = list(troubles)
        self.down: Trouble | None = None
        self.refresh_seconds = refresh
        self.tried: list[Notice] = []
        self.taken: list[Notice] = []
        self.silent = False
        self._news = asyncio.Event()

    async def tell(self, notice: Notice) -> None:
        self.tried.append(notice)
        self._news.set()
        if self.silent:
            await asyncio.Event().wait()
        trouble = self.troubles.pop(0) if self.troubles else self.down
        if trouble is not None:
            raise trouble
        self.taken.append(notice)

    async def until_tried(self, times: int) -> None:
        async with asyncio.timeout(10):
            while len(self.tried) < times:
                self._news.clear()
                await self._news.wait()


class Time:
    """Clocks that stand still but for pauses, which take no time."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.pauses: list[float] = []
        self.by_hand: asyncio.Event | None = None  # a pause waits for it, where there is one

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.passed += seconds
        await (asyncio.sleep(0) if self.by_hand is None else self.by_hand.wait())


@asynccontextmanager
async def delivering(
    receiver: Receiver | None, time: Time, *, close: float = 10.0, waiting: int = 100
) -> AsyncIterator[Delivery]:
    delivery = Delivery(
        "pager",
        clock=lambda: time.passed,
        wall=lambda: NOW + time.passed,
        dice=lambda: 0.0,
        sleep=time.sleep,
        waiting=waiting,
    )
    delivery.adopt(receiver)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(delivery.run())
        yield delivery
        await delivery.close(close)


async def test_what_it_takes_is_delivered_in_order() -> None:
    receiver = Receiver()
    async with delivering(receiver, Time()) as delivery:
        for route in "abc":
            delivery.take(on(route))
    assert [notice.route for notice in receiver.taken] == ["a", "b", "c"]
    assert delivery.counts == {"sent": 3, "failed": 0, "dropped": 0, "superseded": 0}


async def test_trouble_is_tried_again_with_pauses_that_double_up_to_half_a_minute(
    capsys: pytest.CaptureFixture[str],
) -> None:
    time, receiver = Time(), Receiver(*[DOWN] * 9)
    async with delivering(receiver, time) as delivery:
        delivery.take(window())
    assert time.pauses == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]  # half: dice say 0
    assert len({notice.id for notice in receiver.tried}) == 1
    assert delivery.counts["sent"] == 1
    said = capsys.readouterr().out
    assert said.count("notifier fails") == said.count("notifier works again") == 1
    assert "receiver.example" in said


async def test_a_receiver_that_asks_for_a_pause_gets_it_within_reason() -> None:
    time = Time()
    busy, shy = Trouble("status 429", after=42.0), Trouble("status 429", after=1e6)
    async with delivering(Receiver(busy, shy), time) as delivery:
        delivery.take(window())
    assert time.pauses == [42.0, 300.0]


async def test_what_trying_again_cannot_mend_is_not_tried_again_and_holds_nothing_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    time, receiver = Time(), Receiver(FINAL)
    async with delivering(receiver, time) as delivery:
        delivery.take(on("a"))
        delivery.take(on("b"))
    assert [notice.route for notice in receiver.taken] == ["b"]
    assert (delivery.counts["failed"], time.pauses) == (1, [])
    said = capsys.readouterr().out
    assert "notification refused" in said
    assert "status 404" in said


async def test_what_one_receiver_cannot_take_holds_up_no_others() -> None:
    class Choosy(Receiver):
        async def tell(self, notice: Notice) -> None:
            self.tried.append(notice)
            if notice.route == "a" and len(self.tried) < 6:
                raise Trouble("status 500")
            self.taken.append(notice)

    receiver = Choosy()
    async with delivering(receiver, Time()) as delivery:
        for route in "abc":
            delivery.take(on(route))
    assert [notice.route for notice in receiver.taken] == ["b", "c", "a"]


async def test_a_notifier_that_was_down_is_told_what_fires_now_and_what_is_over() -> None:
    """Told of a and b, it goes down; a is over, c begins, d comes and goes, a reply is slow."""
    time, receiver = Time(), Receiver()
    async with delivering(receiver, time) as delivery:
        delivery.take(on("a"))
        delivery.take(on("b"))
        await receiver.until_tried(2)
        receiver.down, time.by_hand = DOWN, asyncio.Event()
        delivery.take(on("a", State.RESOLVED))
        await receiver.until_tried(3)
        delivery.take(on("c", value=8.0))
        delivery.take(on("d"))
        delivery.take(slow())
        delivery.take(on("d", State.RESOLVED))
        delivery.take(on("c", value=9.0))
        time.passed += 3600.0
        receiver.down = None
        time.by_hand.set()
    told = [(each.route, each.state.value, each.value) for each in receiver.taken[2:]]
    assert told == [("a", "resolved", 7.5), ("c", "firing", 9.0)]
    assert delivery.counts["failed"] == 1, "the slow exchange no longer mattered"


async def test_one_attempt_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ATTEMPT_SECONDS", 0.01)
    time, receiver = Time(), Receiver()
    receiver.silent = True
    async with delivering(receiver, time) as delivery:
        delivery.take(window())
        await receiver.until_tried(1)
        receiver.silent = False
    assert len(receiver.taken) == 1
    assert delivery.counts["sent"] == 1


async def test_what_fires_is_told_afresh_to_who_wants_to_hear_it() -> None:
    time, receiver = Time(), Receiver(refresh=60.0)
    async with delivering(receiver, time) as delivery:
        delivery.take(window())
        await receiver.until_tried(1)
        for minute in (1, 2):
            time.passed = 60.0 * minute
            delivery.take(on(f"{minute}"))  # wakes it
            await receiver.until_tried(1 + minute + sum(range(1, minute + 1)))
        delivery.take(window(State.RESOLVED))
    afresh = [each for each in receiver.taken if each.route == "support"]
    assert [each.state.value for each in afresh] == ["firing"] * 3 + ["resolved"]
    assert delivery.counts["sent"] == 4, "what is told afresh is not counted again"


async def test_what_it_has_let_go_is_not_told_afresh_but_its_end_is_told() -> None:
    time, receiver = Time(), Receiver(refresh=60.0)
    async with delivering(receiver, time) as delivery:
        delivery.take(window())
        await receiver.until_tried(1)
        delivery.let_go()
        time.passed = 60.0
        delivery.take(window(State.RESOLVED))
    assert [each.state.value for each in receiver.taken] == ["firing", "resolved"]


async def test_it_wakes_by_itself_to_tell_afresh() -> None:
    loop = asyncio.get_running_loop()
    receiver = Receiver(refresh=0.02)
    delivery = Delivery("pager", clock=loop.time, wall=lambda: NOW, dice=lambda: 0.0)
    delivery.adopt(receiver)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(delivery.run())
        delivery.take(window())
        await receiver.until_tried(4)
        await delivery.close(10)
    assert delivery.counts["sent"] == 1


async def test_what_cannot_be_told_afresh_is_tried_again_and_delays_no_news() -> None:
    time, receiver = Time(), Receiver(None, DOWN, refresh=60.0)
    async with delivering(receiver, time) as delivery:
        delivery.take(on("a"))
        await receiver.until_tried(1)
        time.passed = 60.0
        delivery.take(on("b"))
        await receiver.until_tried(3)
    assert [each.route for each in receiver.tried] == ["a", "a", "b"]


async def test_what_waits_is_bounded_and_what_is_dropped_is_counted() -> None:
    receiver = Receiver()
    async with delivering(receiver, Time(), waiting=3) as delivery:
        for number in range(10):
            delivery.take(on(f"r{number}"))
        assert delivery.waiting == 3
    assert (delivery.counts["sent"], delivery.counts["dropped"]) == (3, 7)


async def test_closing_takes_no_longer_than_it_may() -> None:
    receiver = Receiver()
    receiver.silent = True
    async with asyncio.timeout(5), delivering(receiver, Time(), close=0.05) as delivery:
        delivery.take(on("a"))
        delivery.take(on("b"))
        await receiver.until_tried(1)
    assert (delivery.counts["sent"], delivery.counts["dropped"]) == (0, 2)


async def test_closing_what_never_ran_is_no_trouble() -> None:
    delivery = Delivery("pager", clock=lambda: 0.0, wall=lambda: NOW, dice=lambda: 0.0)
    await delivery.close(0.01)


async def test_notices_go_where_it_is_now() -> None:
    old, new = Receiver(), Receiver()
    async with delivering(old, Time()) as delivery:
        delivery.take(on("a"))
        await old.until_tried(1)
        delivery.adopt(new)
        delivery.take(on("b"))
        await new.until_tried(1)
    assert (len(old.taken), len(new.taken)) == (1, 1)


async def test_what_waits_goes_where_it_is_now_at_once() -> None:
    time, old, new = Time(), Receiver(), Receiver()
    time.by_hand = asyncio.Event()  # the pause has no end of its own
    old.down = DOWN
    async with delivering(old, time) as delivery:
        delivery.take(window())
        await old.until_tried(1)
        delivery.adopt(new)
        await new.until_tried(1)
    assert len(new.taken) == 1


async def test_without_a_receiver_nothing_is_taken_nor_counted() -> None:
    async with delivering(None, Time()) as delivery:
        delivery.take(window())
        assert not any(delivery.counts.values())
        receiver = Receiver()
        delivery.adopt(receiver)
        delivery.take(window())
        await receiver.until_tried(1)
    assert len(receiver.taken) == 1


async def test_what_waits_when_the_receiver_goes_is_dropped_and_counted() -> None:
    receiver = Receiver()
    async with delivering(receiver, Time()) as delivery:
        delivery.take(window())
        delivery.adopt(None)
    assert receiver.tried == []
    assert delivery.counts["dropped"] == 1
