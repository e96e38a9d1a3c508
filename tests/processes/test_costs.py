"""What a restart, a dead worker and a dead control cost in requests, under load.

TURNOUT_TEST_ROUNDS says how many of each; what was seen is said on stderr. What an upgrade
costs (nothing) is in test_upgrade.
"""

import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from proxy.config.settings import Settings
from tests.support.data_plane import settings_of, upstream
from tests.support.load import PATIENT, ROUNDS, Streams, Valve, load
from tests.support.patience import eventually
from tests.support.process import say
from tests.support.scripted_upstream import ScriptedUpstream, scripted_upstream
from tests.support.whole import Whole, launched, settings, whole_turnout

STREAMS = 8
ESTABLISHED = "01"  # of /proc/net/tcp's states

pytestmark = pytest.mark.timeout(60 + 30 * ROUNDS)


def given(server: ScriptedUpstream, workers: int = 2) -> Settings:
    plane = settings_of(
        upstreams=[upstream("u", server.port, timeouts=PATIENT)],
        default_upstream="u",
        pass_unknown_models=True,
        workers=workers,
    )
    return settings(plane, drain_seconds=60.0, drain_grace_seconds=0.3)


async def test_a_restart_costs_nothing_where_somebody_holds_the_sockets(tmp_path: Path) -> None:
    traffic, admin = (socket.create_server(("127.0.0.1", 0), backlog=1024) for _ in range(2))
    with traffic, admin:
        async with scripted_upstream() as server, load(traffic.getsockname()[1]) as under:
            valve, streams, cut = Valve(server), Streams(), 0
            for _ in range(ROUNDS + 1):  # the first start is none again
                async with launched(given(server), tmp_path, traffic, admin) as turnout:
                    await turnout.ready()
                    await streams.open(turnout.port, STREAMS)
                    await under.more(50)
                    turnout.process.send_signal(signal.SIGTERM)
                    await turnout.line("draining")
                    valve.open()
                    cut += await streams.cut()
                    assert await turnout.over() == 0
            under.report("restarts", cut, (ROUNDS + 1) * STREAMS)
            assert (cut, under.failures) == (0, [])


async def test_a_killed_control_costs_nothing(tmp_path: Path) -> None:
    async with scripted_upstream() as server:
        valve, streams = Valve(server), Streams()
        async with whole_turnout(given(server), tmp_path) as turnout, load(turnout.port) as under:
            await streams.open(turnout.port, STREAMS)
            for turn in range(ROUNDS):
                (control,) = await eventually(lambda: running(turnout, "control"), bool)
                await under.more(30)
                os.kill(control, signal.SIGKILL)
                await turnout.line("the control process ended")
                await under.more(30)
                await restarted(turnout, "control", turn + 1)
            valve.open()
            cut = await streams.cut()
            under.report("kills of control", cut, STREAMS)
            assert (cut, under.failures) == (0, [])


async def test_a_killed_worker_costs_what_was_open_on_it_and_nothing_else(tmp_path: Path) -> None:
    async with scripted_upstream() as server:
        valve, streams = Valve(server), Streams()
        open_there, cut = 0, 0
        async with whole_turnout(given(server), tmp_path) as turnout, load(turnout.port) as under:
            for turn in range(ROUNDS):
                await streams.open(turnout.port, STREAMS)
                await under.more(30)
                victim = (await eventually(lambda: running(turnout, "worker"), pair))[turn % 2]
                os.kill(victim, signal.SIGSTOP)  # or what is counted would change meanwhile
                held = connections(victim, turnout.port)
                os.kill(victim, signal.SIGKILL)
                await under.more(30)
                valve.open()
                here, before = await streams.cut(), len(under.failures)
                cut += here
                open_there += held
                await restarted(turnout, "worker", turn + 1)
                assert cut + before <= open_there
            under.report("kills of a worker", cut, ROUNDS * STREAMS)
            say(f"open on the workers when they were killed: {open_there} connections")


def pair(pids: list[int]) -> bool:
    return len(pids) == 2


async def running(turnout: Whole, kind: str) -> list[int]:
    return turnout.children(kind)


async def restarted(turnout: Whole, kind: str, times: int) -> None:
    """Wait until `kind` was started again so often, and all workers are at work."""

    def whole(seen: Any) -> bool:
        on_table = [worker["table_version"] for worker in seen["workers"]]
        return seen["restarts"][kind] == times and on_table == [1, 1]

    await eventually(turnout.status, whole)


def connections(pid: int, port: int) -> int:
    """Return how many clients' connections to `port` process `pid` holds."""
    links = [str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {link[8:-1] for link in links if link.startswith("socket:[")}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    local = f":{port:04X}"
    return sum(
        row[1].endswith(local) and row[3] == ESTABLISHED and row[9] in inodes for row in rows
    )
