"""The hosts as each told of itself: who there is, how far a version came, who has whose name."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from proxy.controlplane.hosts import company as rooms
from proxy.controlplane.hosts.company import Company
from proxy.errors import StoreError
from proxy.rollout.spread import Host


def host(name: str = "a", **told: Any) -> Host:
    said: dict[str, Any] = {"started_at": 0.0, "version": 7, "workers": 2, "in_force": 2, **told}
    return Host(name=name, release="1.0", **said)


class Board:
    """Where hosts tell of themselves, in memory."""

    def __init__(self, *hosts: Host) -> None:
        self.hosts = {each.name: each for each in hosts}
        self.broken = False

    def report(self, host: Host) -> Sequence[Host]:
        if self.broken:
            raise StoreError("the store is away")
        before = list(self.hosts.values())
        self.hosts[host.name] = host
        return before

    def leave(self, host: Host) -> None:
        del self.hosts[host.name]

    async def news(self) -> AsyncGenerator[None, None]:
        yield


@pytest.fixture
def board() -> Board:
    return Board(host("b"), host("c", version=6))


@pytest.fixture
def company(board: Board) -> Company:
    company = Company("a", lambda: 1.0)
    company.shared = board
    return company


async def test_a_host_without_a_shared_store_is_alone() -> None:
    company = Company("a", lambda: 1.0)
    await company.tell(host())
    await company.leave()
    assert await company.reached(7) is None
    assert company.counts() == {"in_force": 1, "behind": 0, "silent": 0}


async def test_a_host_tells_of_itself_and_knows_the_others(board: Board) -> None:
    now = 1.0
    company = Company("a", lambda: now)
    company.shared = board
    assert company.counts() == {"in_force": 0, "behind": 0, "silent": 0}
    await company.tell(host())
    await company.tell(host())
    assert [each.name for each in company.others] == ["b", "c"]
    assert company.counts() == {"in_force": 2, "behind": 1, "silent": 0}
    now += 60.0
    assert company.counts() == {"in_force": 1, "behind": 0, "silent": 2}, "since it was asked"
    await company.leave()
    assert set(board.hosts) == {"b", "c"}


async def test_who_has_left_is_not_put_on_the_list_again(company: Company, board: Board) -> None:
    await company.tell(host())
    await company.leave()
    await company.tell(host())  # as one does that was under way
    assert "a" not in board.hosts


async def test_a_version_is_waited_for_until_the_others_have_it(
    company: Company, board: Board
) -> None:
    await company.tell(host())
    waiting = asyncio.create_task(company.reached(7))
    await asyncio.sleep(0)
    board.hosts["c"] = host("c")
    await company.tell(host())
    reach = await waiting
    assert reach is not None
    assert (reach.hosts, reach.of, reach.late) == (3, 3, ())


async def test_who_is_late_is_named_and_who_is_silent_is_not_waited_for(
    company: Company, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.hosts["c"] = host("c", version=6, unseen=20.0)
    await company.tell(host())
    reach = await company.reached(7)
    assert reach is not None
    assert [each.why for each in reach.late] == ["not seen for 20 s; version 6 was in force there"]

    monkeypatch.setattr(rooms, "REACH_SECONDS", 0.0)
    board.hosts["c"] = host("c", version=6)
    await company.tell(host())
    reach = await company.reached(7)
    assert reach is not None
    assert [each.why for each in reach.late] == ["version 6 is in force there"]


async def test_a_host_in_trouble_is_not_waited_for_as_others_are(
    company: Company, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "REACH_SECONDS", 3600.0)
    monkeypatch.setattr(rooms, "TROUBLED_SECONDS", 0.0)
    board.hosts["c"] = host("c", version=6, trouble="it does not fit")
    await company.tell(host())
    reach = await company.reached(7)
    assert reach is not None
    assert [each.why for each in reach.late] == ["it does not fit"]


async def test_two_hosts_of_one_name_are_told_apart_from_one_that_was_started_again(
    company: Company, board: Board
) -> None:
    board.hosts["a"] = host("a", started_at=5.0)
    await company.tell(host())
    assert company.trouble == "", "it was the one before this"
    for _ in range(2):
        board.hosts["a"] = host("a", started_at=5.0)
        await company.tell(host())
    assert company.trouble.startswith("two turnouts on this store are called a")
    await company.tell(host())
    assert company.trouble == ""
