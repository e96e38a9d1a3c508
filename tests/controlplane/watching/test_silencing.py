"""Silences as a host knows them: its own at once, others' soon, and each until its end."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from proxy.alerting.silence import Silence
from proxy.controlplane.watching import silencing as module
from proxy.controlplane.watching.silencing import Silencing
from proxy.errors import StoreError
from tests.support.patience import until
from tests.support.watched import Memory

NOW = 1_795_000_000.0


class House:
    def __init__(self) -> None:
        self.now = NOW
        self.kept = Memory()
        self.silencing = Silencing(self.kept, lambda: self.now)


def silence(seconds: float = 60.0, **said: Any) -> Silence:
    return Silence(begins_at=NOW, ends_at=NOW + seconds, who="ann", why="", **said)


async def test_a_silence_holds_at_once_and_until_its_end() -> None:
    house = House()
    made = await house.silencing.add(silence(alert="slow"))
    assert made.number == 1
    assert house.silencing.on("slow", "support", None) == made
    assert house.silencing.on("short", "support", None) is None
    assert house.silencing.lasting == [made]
    house.now += 60.0
    assert house.silencing.on("slow", "support", None) is None
    assert house.silencing.lasting == []


async def test_one_that_is_ended_is_over_at_once() -> None:
    house = House()
    made = await house.silencing.add(silence())
    assert await house.silencing.end(1) == made
    assert house.silencing.lasting == []
    assert await house.silencing.end(1) is None


async def test_where_the_store_is_away_what_was_read_holds_and_none_is_made() -> None:
    house = House()
    made = await house.silencing.add(silence())
    house.kept.away = True
    await house.silencing.read()
    assert house.silencing.lasting == [made]
    with pytest.raises(StoreError):
        await house.silencing.add(silence())
    with pytest.raises(StoreError):
        await house.silencing.end(1)


async def test_what_other_hosts_make_is_known_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_SECONDS", 0.001)
    house = House()
    running = asyncio.create_task(house.silencing.run())
    house.kept.add(silence(route="support"))
    await until(lambda: bool(house.silencing.lasting))
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
