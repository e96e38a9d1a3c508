import asyncio
import socket

import msgspec
import pytest
from msgspec import Raw

from proxy.channel import Wire
from proxy.channel.lifeline import (
    ControlLaunch,
    Drain,
    Ready,
    Retire,
    ToChild,
    WorkerEnded,
    WorkerLaunch,
    child_end,
    live,
    supervisor_end,
)
from proxy.config.settings import Settings
from proxy.dataplane.worker import loop_factory
from proxy.routing.table import Route, Variant
from tests.support.data_plane import settings_of


def launch(settings: Settings) -> ControlLaunch:
    return ControlLaunch.of(
        settings, channel="/c", listener=3, admin=4, tally=5, restarts={"worker": 1}
    )


async def test_both_ends_understand_each_other_until_one_is_gone() -> None:
    ours, theirs = socket.socketpair()
    supervisor = await supervisor_end(ours)
    child = await child_end(theirs.detach())
    variant = Variant(name="v", upstream="u", overrides={"temperature": Raw(b"0.10")})
    route = Route(name="r", variants=(variant,), weights=(1.0,))
    settings = Settings(data_plane=settings_of(route, upstreams=[]), drain_seconds=7.0)
    await supervisor.send(launch(settings))
    arrived = await child.receive()
    assert isinstance(arrived, ControlLaunch)
    assert msgspec.json.encode(arrived.read()) == msgspec.json.encode(settings)
    assert arrived.restarts == {"worker": 1}
    for message in (Retire(), Drain(seconds=2), WorkerEnded(worker=0, pid=9, restarts={})):
        supervisor.post(message)
        assert await child.receive() == message
    child.post(Ready())
    assert await supervisor.receive() == Ready()
    await supervisor.close()
    with pytest.raises(ConnectionError):
        await child.receive()
    await child.close()


async def test_a_child_lives_with_what_it_was_launched_with_and_then_lets_go() -> None:
    ours, theirs = socket.socketpair()
    supervisor = await supervisor_end(ours)
    await supervisor.send(launch(Settings(data_plane=settings_of(upstreams=[]))))

    async def life(launched: ControlLaunch, lifeline: Wire[ToChild]) -> None:
        assert launched.channel == "/c"
        lifeline.post(Ready())

    await live(theirs.detach(), ControlLaunch, life)
    assert await supervisor.receive() == Ready()
    with pytest.raises(ConnectionError):
        await supervisor.receive()
    await supervisor.close()


async def test_a_child_that_is_launched_as_something_else_does_not_live() -> None:
    ours, theirs = socket.socketpair()
    supervisor = await supervisor_end(ours)
    await supervisor.send(launch(Settings(data_plane=settings_of(upstreams=[]))))
    with pytest.raises(TypeError, match="a WorkerLaunch was due, and a ControlLaunch came"):
        await live(theirs.detach(), WorkerLaunch, never)
    await supervisor.close()


async def test_a_child_whose_supervisor_is_gone_does_nothing() -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    await live(theirs.detach(), WorkerLaunch, never)


async def never(launched: WorkerLaunch, lifeline: Wire[ToChild]) -> None:
    pytest.fail("nobody launched it")


def test_a_launch_with_a_member_that_is_none_is_an_error() -> None:
    with pytest.raises(TypeError):
        ControlLaunch.of(Settings(data_plane=settings_of(upstreams=[])), channle="/c")


def test_what_is_posted_to_a_peer_that_is_gone_is_lost_and_hurts_nobody() -> None:
    async def post() -> None:
        ours, theirs = socket.socketpair()
        child = await child_end(ours.detach())
        theirs.close()
        with pytest.raises(ConnectionError):
            await child.receive()
        for _ in range(3):
            child.post(Ready())
            await asyncio.sleep(0)
        await child.close()

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(post())
