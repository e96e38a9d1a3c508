"""An upstream as an exchange sees it: health and retries around the pool."""

import asyncio

import pytest

from proxy.config.settings import UpstreamSettings
from proxy.errors import ConnectFailure, UpstreamFailure, UpstreamTimeout
from proxy.exchange import ErrorCode
from proxy.upstream import Upstream
from tests.support.scripted_upstream import (
    HANG,
    error_reply,
    refusing_port,
    scripted_upstream,
)
from tests.support.upstream_client import GET, client_of, exchange


class Clock:
    """A clock that a test winds on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def upstream(clock: Clock, **changes: object) -> Upstream:
    settings = UpstreamSettings(name="u", scheme="http", host="127.0.0.1", port=9, **changes)  # type: ignore[arg-type]
    return Upstream(settings, workers=1, clock=clock, dice=lambda: 0.5)


async def test_failures_eject_and_acquire_says_so_at_once() -> None:
    clock = Clock()
    ill = upstream(clock, eject_after=2)
    ill.failed()
    ill.failed()
    assert not ill.available()
    assert ill.report().ejected
    assert ill.report().ejections == 1
    with pytest.raises(UpstreamFailure) as failure:
        await ill.acquire()
    assert failure.value.code == ErrorCode.PROVIDER_EJECTED
    clock.now += 10.0
    assert ill.available()


async def test_who_borrows_shows_nothing_of_health_and_earns_no_retries() -> None:
    with refusing_port() as port:
        async with client_of(port, eject_after=1, retry_budget=0.0) as client:
            for _ in range(2):
                with pytest.raises(ConnectFailure):
                    await client.borrow()
            report = client.report()
    assert (report.requests, report.connect_failures) == (2, 2)
    assert report.connect_error == "provider_connect_failed"
    assert not report.ejected


async def test_an_upstream_is_crowded_where_one_more_would_leave_less_than_half() -> None:
    async with scripted_upstream() as server, client_of(server.port, connections=4) as client:
        first = await client.borrow()
        seen = [client.crowded]
        second = await client.borrow()
        seen.append(client.crowded)
        client.release(first)
        seen.append(client.crowded)  # an idle one is free
        assert await client.borrow() is first
        client.release(first)
        client.release(second)
    assert seen == [False, True, False]


async def test_dials_that_fail_count_against_the_upstream() -> None:
    with refusing_port() as port:
        async with client_of(port, eject_after=2) as client:
            for _ in range(2):
                with pytest.raises(ConnectFailure):
                    await client.acquire()
            assert not client.available()
            assert client.report().connect_failures == 2
            assert client.report().connect_error == "provider_connect_failed"


async def test_our_own_limit_does_not_count_against_the_upstream() -> None:
    async with (
        scripted_upstream() as server,
        client_of(server.port, connections=1, queue=0, eject_after=1) as client,
    ):
        held = await client.acquire()
        with pytest.raises(UpstreamFailure):
            await client.acquire()
        assert client.available()
        client.release(held)


async def test_who_waits_for_a_connection_waits_no_longer_than_its_exchange_has() -> None:
    async with (
        scripted_upstream() as server,
        client_of(server.port, connections=1, eject_after=1) as client,
    ):
        held = await client.acquire()
        with pytest.raises(UpstreamTimeout) as failure:
            await client.acquire(asyncio.get_running_loop().time() + 0.01)
        assert failure.value.code == ErrorCode.PROVIDER_TOTAL_TIMEOUT
        assert client.available()
        client.release(held)
        assert await client.acquire(asyncio.get_running_loop().time() + 0.01) is held
        client.release(held)


async def test_a_fresh_connection_was_never_idle_even_where_there_is_room_for_one_only() -> None:
    async with scripted_upstream() as server, client_of(server.port, connections=1) as client:
        kept = await client.acquire()
        client.release(kept)
        fresh = await client.acquire(fresh=True)
        assert fresh is not kept
        assert not fresh.reused
        assert client.report().open == 1
        client.release(fresh)


async def test_half_open_lets_one_through_whose_success_lets_all_in() -> None:
    async with (
        scripted_upstream() as server,
        client_of(server.port, eject_after=1, eject_seconds=0.0) as client,
    ):
        client.failed()
        trial = await client.acquire()
        assert not client.available()
        with pytest.raises(UpstreamFailure):
            await client.acquire()
        client.succeeded()
        client.release(trial)
        assert client.available()
        assert not client.report().ejected


@pytest.mark.parametrize("cancelled", [True, False])
async def test_a_trial_that_ends_without_a_verdict_makes_room_for_another(cancelled: bool) -> None:  # noqa: FBT001  # pytest's
    async with scripted_upstream() as server:
        server.will([HANG])
        async with client_of(server.port, eject_after=1, eject_seconds=0.0) as client:
            client.failed()
            if cancelled:
                task = asyncio.ensure_future(exchange(client, GET))
                await server.request()
                assert not client.available()
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            else:
                client.release(await client.acquire())
            assert client.available()


async def test_a_trial_that_is_cancelled_while_it_dials_makes_room_for_another() -> None:
    async with (
        scripted_upstream() as server,
        client_of(server.port, eject_after=1, eject_seconds=0.0) as client,
    ):
        client.failed()
        task = asyncio.ensure_future(client.acquire())
        await asyncio.sleep(0)
        assert not client.available()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert client.available()


def test_retries_end_with_their_number_their_budget_or_the_clients_patience() -> None:
    clock = Clock()
    busy = upstream(clock, retries=2)
    assert busy.retry_delay(1, None) == pytest.approx(0.0375)
    assert busy.retry_delay(2, None) == pytest.approx(0.075)
    assert busy.retry_delay(3, None) is None
    assert busy.retry_delay(1, 60.0) is None
    assert busy.retry_delay(1, 1.0) == pytest.approx(1.0375)
    assert busy.retry_delay(1, None) is None  # three are free, and there were no requests
    assert busy.report().retries == 3
    clock.now += 60.0
    assert busy.retry_delay(1, None) is not None


async def test_a_storm_of_refusals_is_not_answered_by_a_storm_of_retries() -> None:
    async with scripted_upstream() as server:
        server.by_default = error_reply(503, retry_after="0")
        async with client_of(server.port, eject_after=0) as client:
            for _ in range(100):
                for attempt in (1, 2, 3):
                    await exchange(client)
                    if client.retry_delay(attempt, 0.0) is None:
                        break
            assert client.report().retries == 20
            assert len(server.requests) == 120
