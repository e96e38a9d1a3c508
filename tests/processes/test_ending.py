"""How turnout ends, whoever ends it."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from proxy.config.settings import DataPlane
from tests.support.data_plane import settings_of, upstream
from tests.support.patience import eventually
from tests.support.process import ALIVE
from tests.support.raw_client import raw_client
from tests.support.scripted_upstream import (
    HANG,
    ScriptedUpstream,
    Steps,
    scripted_upstream,
    stream_reply,
)
from tests.support.whole import Whole, command, gone, launched, refused, settings, whole_turnout


def plane(server: ScriptedUpstream, workers: int = 1) -> DataPlane:
    return settings_of(
        upstreams=[upstream("u", server.port)],
        default_upstream="u",
        pass_unknown_models=True,
        workers=workers,
    )


def stream(go_on: asyncio.Event) -> Steps:
    first, second, *end = stream_reply(b"one", b"two")
    return [first, second, go_on, *end]


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_running_stream_finishes_and_the_exit_code_is_0(
    tmp_path: Path, workers: int
) -> None:
    async with scripted_upstream() as server:
        go_on = asyncio.Event()
        server.will(stream(go_on))
        async with (
            whole_turnout(settings(plane(server, workers)), tmp_path) as turnout,
            raw_client(turnout.port) as client,
        ):
            client.get("/v1/stream")
            await client.until(b"one")
            turnout.process.send_signal(signal.SIGTERM)
            await turnout.line("draining")
            await eventually(lambda: refused(turnout), bool)
            go_on.set()
            rest = await client.rest()
            assert b"two" in rest
            assert rest.endswith(b"0\r\n\r\n")
            assert await turnout.over() == 0
            assert len(turnout.taken()) == 1, "the last observation was taken, too"


@pytest.mark.alone
async def test_readiness_turns_at_once_and_connections_are_taken_during_the_grace(
    tmp_path: Path,
) -> None:
    async with scripted_upstream() as server:
        given = settings(plane(server), drain_grace_seconds=1.0)
        async with whole_turnout(given, tmp_path) as turnout:
            assert await turnout.get("/readyz") == 200
            async with raw_client(turnout.port) as probe:
                loop = asyncio.get_running_loop()
                turnout.process.send_signal(signal.SIGTERM)
                signalled = loop.time()
                answer = b""
                while b"503" not in answer:
                    assert loop.time() < signalled + 0.1
                    probe.get("/readyz")
                    answer = await probe.until(b"\r\n\r\n")
                    await probe.until(b"\n")
                assert await turnout.get("/healthz") == 200, "a new connection is taken and served"
                assert await turnout.get("/v1/x") == 200, "so are requests"
                assert await turnout.over() == 0
                assert loop.time() - signalled >= 1.0
                assert await refused(turnout)


async def test_who_waits_when_the_grace_is_over_is_still_served(tmp_path: Path) -> None:
    async with (
        scripted_upstream() as server,
        whole_turnout(settings(plane(server)), tmp_path) as turnout,
    ):
        (worker,) = turnout.children("worker")
        os.kill(worker, signal.SIGSTOP)  # it takes nobody
        async with raw_client(turnout.port) as client:
            client.get("/healthz")
            listeners = len(sockets(turnout.pid))
            turnout.process.send_signal(signal.SIGTERM)

            async def let_go() -> bool:
                return len(sockets(turnout.pid)) < listeners

            await eventually(let_go, bool)
            os.kill(worker, signal.SIGCONT)
            assert b"200" in await client.until(b"\r\n")
        assert await turnout.over() == 0


def sockets(pid: int) -> list[str]:
    """Return the sockets that a process holds."""
    links = [str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()]
    return [link for link in links if link.startswith("socket:")]


async def test_what_is_left_after_the_drain_time_is_cut(tmp_path: Path) -> None:
    async with scripted_upstream() as server:
        server.will([*stream_reply(b"one")[:2], HANG])
        async with (
            whole_turnout(settings(plane(server), drain_seconds=0.3), tmp_path) as turnout,
            raw_client(turnout.port) as client,
        ):
            client.get("/v1/stream")
            await client.until(b"one")
            assert await turnout.end() == 0
            assert not (await client.rest()).endswith(b"0\r\n\r\n"), "a cut is seen as one"
            assert len(turnout.taken()) == 1


@pytest.mark.parametrize("again", [signal.SIGTERM, signal.SIGINT])
async def test_told_twice_it_ends_at_once(tmp_path: Path, again: signal.Signals) -> None:
    async with scripted_upstream() as server:
        server.will([*stream_reply(b"one")[:2], HANG])
        given = settings(plane(server), drain_seconds=60.0, drain_grace_seconds=60.0)
        async with whole_turnout(given, tmp_path) as turnout, raw_client(turnout.port) as client:
            client.get("/v1/stream")
            await client.until(b"one")
            turnout.process.send_signal(signal.SIGTERM)
            await turnout.line("draining")
            children = turnout.children("worker") + turnout.children("control")
            assert await turnout.end(again) == 130
            assert await gone(children)


async def test_an_interrupt_drains_without_the_grace(tmp_path: Path) -> None:
    async with scripted_upstream() as server:
        given = settings(plane(server), drain_grace_seconds=60.0)
        async with whole_turnout(given, tmp_path) as turnout:
            assert await turnout.end(signal.SIGINT) == 0


async def test_children_do_not_hear_the_terminals_interrupt(tmp_path: Path) -> None:
    async with (
        scripted_upstream() as server,
        whole_turnout(settings(plane(server)), tmp_path) as turnout,
    ):
        children = turnout.children("worker") + turnout.children("control")
        for pid in children:
            os.kill(pid, signal.SIGINT)
            os.kill(pid, signal.SIGHUP)
        assert await turnout.get("/v1/x") == 200
        assert turnout.children("worker") + turnout.children("control") == children


async def test_a_hangup_changes_nothing_and_says_so(tmp_path: Path) -> None:
    async with (
        scripted_upstream() as server,
        whole_turnout(settings(plane(server)), tmp_path) as turnout,
    ):
        turnout.process.send_signal(signal.SIGHUP)
        await turnout.line("SIGHUP")
        assert await turnout.get("/v1/x") == 200


def turns(pid: int) -> int:
    """Return how often a process went to sleep; one that only shows its life, once for each."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("voluntary")), 0)


async def test_where_the_supervisor_is_killed_the_rest_drains_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ALIVE, "0.01")
    async with scripted_upstream() as server:
        go_on = asyncio.Event()
        server.will(stream(go_on))
        async with (
            whole_turnout(settings(plane(server, workers=2)), tmp_path) as turnout,
            raw_client(turnout.port) as client,
        ):
            client.get("/v1/stream")
            await client.until(b"one")
            children = turnout.children("worker") + turnout.children("control")
            assert len(children) == 3
            turnout.process.kill()
            await eventually(lambda: refused(turnout), bool)
            workers = [pid for pid in children if "worker" in command(pid)]
            before = {pid: turns(pid) for pid in workers}

            async def passed() -> bool:
                return any(turns(pid) > old + 20 for pid, old in before.items())

            await eventually(passed, bool)  # signs of life, which nobody hears
            go_on.set()
            assert (await client.rest()).endswith(b"0\r\n\r\n")
            await eventually(lambda: gone(children), bool)
            assert len(turnout.taken()) == 1


async def test_sigterm_while_it_starts_ends_it_in_good_order(tmp_path: Path) -> None:
    async with (
        scripted_upstream() as server,
        launched(settings(plane(server)), tmp_path) as turnout,
    ):
        await eventually(lambda: some_worker(turnout), bool)
        assert await turnout.end() == 0


async def some_worker(turnout: Whole) -> bool:
    return bool(turnout.children("worker"))
