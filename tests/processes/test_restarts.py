"""What dies is started again, and every exchange is accounted for."""

import asyncio
import os
import re
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from proxy.config.settings import DataPlane, Tls
from tests.support.beside import beside
from tests.support.data_plane import settings_of, upstream
from tests.support.patience import eventually
from tests.support.raw_client import raw_client
from tests.support.scripted_upstream import ScriptedUpstream, scripted_upstream
from tests.support.whole import Whole, launched, settings, whole_turnout


def plane(server: ScriptedUpstream, workers: int) -> DataPlane:
    return settings_of(
        upstreams=[upstream("u", server.port)],
        default_upstream="u",
        pass_unknown_models=True,
        workers=workers,
    )


@asynccontextmanager
async def running(folder: Path, workers: int) -> AsyncIterator[Whole]:
    async with (
        scripted_upstream() as server,
        whole_turnout(settings(plane(server, workers)), folder) as turnout,
    ):
        yield turnout


class Load:
    """Clients that send one request after the other, each on a new connection."""

    def __init__(self, turnout: Whole) -> None:
        self.answered = 0
        self.failed = 0
        self._turnout = turnout

    async def run(self) -> None:
        while True:
            try:
                assert await self._turnout.get("/v1/x") == 200
                self.answered += 1
            except httpx2.TransportError:
                self.failed += 1

    async def answers(self) -> int:
        return self.answered


@asynccontextmanager
async def load(turnout: Whole, clients: int = 4) -> AsyncIterator[Load]:
    under = Load(turnout)
    async with beside(*(under.run() for _ in range(clients))):
        yield under


def accounted(status: Any) -> bool:
    exchanges = status["exchanges"]
    ended = exchanges["taken"] + exchanges["dropped"] + exchanges["lost"]
    return bool(exchanges["begun"] == ended and exchanges["in_flight"] == 0)


async def test_a_killed_worker_is_replaced_and_what_died_with_it_is_counted(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, workers=2) as turnout:
        async with load(turnout) as under:
            victim = turnout.children("worker")[0]
            await eventually(under.answers, lambda count: count > 20)
            os.kill(victim, signal.SIGKILL)
            await eventually(turnout.status, lambda seen: seen["restarts"]["worker"] == 1)
            before = under.answered
            await eventually(
                turnout.status,
                lambda seen: [w["table_version"] for w in seen["workers"]] == [1, 1],
            )
            await eventually(under.answers, lambda count: count > before + 20)
        assert under.failed <= 4, "at most what the victim was at work on"
        status = await eventually(turnout.status, accounted)
        exchanges = status["exchanges"]
        assert exchanges["taken"] == len(turnout.taken()) == len(set(turnout.taken()))
        assert exchanges["begun"] >= under.answered
        # Up to 0.1 s of observations wait in a worker: those are what may be lost.
        assert exchanges["lost"] <= under.answered


async def test_connections_that_wait_for_a_killed_worker_are_served_by_its_successor(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, workers=1) as turnout:
        (victim,) = turnout.children("worker")
        os.kill(victim, signal.SIGSTOP)  # it takes nothing any more
        async with raw_client(turnout.port) as client:
            client.get("/healthz")
            os.kill(victim, signal.SIGKILL)
            assert b"200" in await client.until(b"\r\n")


async def test_traffic_goes_on_without_control_and_nothing_is_lost(tmp_path: Path) -> None:
    async with running(tmp_path, workers=2) as turnout:
        (control,) = turnout.children("control")
        async with load(turnout) as under:
            await eventually(under.answers, lambda count: count > 20)
            os.kill(control, signal.SIGKILL)
            before = under.answered
            await eventually(under.answers, lambda count: count > before + 20)
            await eventually(turnout.status, lambda seen: len(seen["workers"]) == 2)
        assert under.failed == 0
        status = await eventually(turnout.status, accounted)
        exchanges = status["exchanges"]
        assert status["restarts"] == {"control": 1, "worker": 0}
        assert (exchanges["dropped"], exchanges["lost"]) == (0, 0)
        assert exchanges["taken"] == exchanges["begun"] == len(set(turnout.taken()))


async def test_a_control_that_hangs_holds_nobody_up(tmp_path: Path) -> None:
    async with running(tmp_path, workers=1) as turnout:
        (control,) = turnout.children("control")
        os.kill(control, signal.SIGSTOP)
        for _ in range(20):
            assert await turnout.get("/v1/x") == 200
        assert turnout.taken() == []
        os.kill(control, signal.SIGCONT)
        await eventually(turnout.status, lambda seen: seen["exchanges"]["taken"] == 20)
        assert len(turnout.taken()) == 20


async def test_a_worker_and_control_killed_together_leave_no_gap_in_the_accounts(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, workers=2) as turnout:
        async with load(turnout) as under:
            await eventually(under.answers, lambda count: count > 20)
            os.kill(turnout.children("worker")[0], signal.SIGKILL)
            os.kill(turnout.children("control")[0], signal.SIGKILL)
            before = under.answered
            await eventually(under.answers, lambda count: count > before + 20)
            await eventually(turnout.status, lambda seen: len(seen["workers"]) == 2)
        status = await eventually(turnout.status, accounted)
        assert status["exchanges"]["taken"] <= len(turnout.taken())


async def test_four_workers_are_one_turnout(tmp_path: Path) -> None:
    async with running(tmp_path, workers=4) as turnout:
        for _ in range(40):
            assert await turnout.get("/v1/x") == 200
        status = await eventually(turnout.status, lambda seen: seen["exchanges"]["taken"] == 40)
        assert accounted(status)
        assert [worker["number"] for worker in status["workers"]] == [0, 1, 2, 3]
        assert status["table"]["workers"] == 4
        await eventually(turnout.status, lambda seen: seen["upstreams"][0]["requests"] == 40)
        assert b"taken_total 40" in (await turnout.admin("/metrics")).content


async def test_counters_do_not_go_back_when_a_worker_is_killed(tmp_path: Path) -> None:
    async with running(tmp_path, workers=1) as turnout:
        for _ in range(5):
            assert await turnout.get("/v1/x") == 200
        await eventually(turnout.status, lambda seen: seen["upstreams"][0]["requests"] == 5)
        os.kill(turnout.children("worker")[0], signal.SIGKILL)
        await eventually(turnout.status, lambda seen: seen["restarts"]["worker"] == 1)
        assert await turnout.get("/v1/x") == 200
        await eventually(turnout.status, lambda seen: seen["upstreams"][0]["requests"] == 6)


async def test_what_dies_again_and_again_is_started_ever_later(tmp_path: Path) -> None:
    async with running(tmp_path, workers=1) as turnout:
        waits = []
        for _ in range(4):
            (victim,) = await eventually(lambda: workers(turnout), bool)
            os.kill(victim, signal.SIGKILL)
            line = await turnout.line("ended (SIGKILL)")
            waits.append(pause_of(line))
        assert waits == sorted(waits)
        assert (waits[0], waits[-1]) == (0.0, 0.5)


async def workers(turnout: Whole) -> list[int]:
    return turnout.children("worker")


async def test_a_worker_that_is_told_to_end_drains_and_is_replaced(tmp_path: Path) -> None:
    async with running(tmp_path, workers=1) as turnout:
        assert await turnout.get("/v1/x") == 200
        os.kill(turnout.children("worker")[0], signal.SIGTERM)
        await turnout.line("ended (exit code 0)")
        assert await turnout.get("/v1/x") == 200
        status = await eventually(turnout.status, accounted)
        assert status["exchanges"]["lost"] == 0


@pytest.mark.parametrize("which", ["listen_port", "admin_port"])
async def test_an_address_in_use_is_said_with_a_remedy(tmp_path: Path, which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        given = settings(settings_of(upstreams=[], workers=2), **{which: port})
        async with launched(given, tmp_path) as turnout:
            assert await turnout.over() == 3
            assert f"can't listen on 127.0.0.1:{port}: Address already in use" in turnout.said[-1]
            assert "--listen or --admin" in turnout.said[-1]


async def test_two_turnouts_do_not_share_an_address(tmp_path: Path) -> None:
    async with running(tmp_path, workers=2) as turnout:
        given = settings(settings_of(upstreams=[], workers=2), listen_port=turnout.port)
        async with launched(given, tmp_path) as second:
            assert await second.over() == 3


async def test_a_start_that_can_not_work_fails_as_a_whole(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.pem")
    tls = Tls(certificate=missing, key=missing)
    given = settings(settings_of(upstreams=[], workers=2), tls=tls)
    async with launched(given, tmp_path) as turnout:
        assert await turnout.over() == 3
        assert "process ended at its start (exit code 1)" in turnout.said[-1]
        assert turnout.children("") == []


async def test_while_a_worker_is_down_the_others_take_its_connections(tmp_path: Path) -> None:
    async with running(tmp_path, workers=2) as turnout:
        survivor = turnout.children("worker")[1]

        async def others() -> list[int]:
            return [pid for pid in turnout.children("worker") if pid != survivor]

        wait = 0.0
        while wait < 1.0:  # seconds for which nobody takes its place
            (victim,) = await eventually(others, bool)
            os.kill(victim, signal.SIGKILL)
            wait = pause_of(await turnout.line("worker 0 process ended"))
        answers = await asyncio.gather(*(healthy(turnout) for _ in range(20)))
        assert await others() == [], "all were taken before its successor came"
        assert all(answers)


async def healthy(turnout: Whole) -> bool:
    """Return whether a connection of its own is answered."""
    async with raw_client(turnout.port) as client:
        client.get("/healthz")
        return b" 200 " in await client.until(b"\r\n")


async def test_only_control_sees_the_variables_that_may_be_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted")
    async with running(tmp_path, workers=1) as turnout:
        (worker,), (control,) = turnout.children("worker"), turnout.children("control")
        assert b"sk-planted" not in variables(worker)
        assert b"sk-planted" in variables(control)


def variables(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


def pause_of(line: str) -> float:
    """Return the seconds that a start is put off, as the line says it."""
    found = re.search(r"in ([0-9.]+) s", line)
    return 0.0 if found is None else float(found[1])
