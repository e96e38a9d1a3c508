"""Started by a service manager that holds the sockets and wants to hear how it goes."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.config.settings import Settings
from tests.support.data_plane import settings_of, upstream
from tests.support.patience import eventually
from tests.support.raw_client import raw_client
from tests.support.scripted_upstream import ScriptedUpstream, scripted_upstream
from tests.support.whole import gone, launched, settings

PATIENCE = 15.0


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    """Hold traffic's and administration's sockets, as a service manager does."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    yield held
    for sock in held:
        sock.close()


@pytest.fixture
def notices(tmp_path: Path) -> Iterator[socket.socket]:
    """Listen as a service manager does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(0)
        yield sock


async def notice(notices: socket.socket) -> list[str]:
    async with asyncio.timeout(PATIENCE):
        return (await asyncio.get_running_loop().sock_recv(notices, 4096)).decode().split("\n")


def given(server: ScriptedUpstream, workers: int) -> Settings:
    plane = settings_of(
        upstreams=[upstream("u", server.port)],
        default_upstream="u",
        pass_unknown_models=True,
        workers=workers,
    )
    return settings(plane)


async def test_who_comes_between_an_end_and_the_next_start_is_served(
    tmp_path: Path, sockets: list[socket.socket]
) -> None:
    async with scripted_upstream() as server:
        async with launched(given(server, 3), tmp_path, *sockets) as turnout:
            await turnout.ready()
            assert turnout.port == sockets[0].getsockname()[1]
            assert turnout.admin_port == sockets[1].getsockname()[1]
            for _ in range(6):
                assert await turnout.get("/v1/x") == 200
            assert (await turnout.status())["exchanges"]["begun"] == 6
            assert await turnout.end() == 0
        async with raw_client(turnout.port) as client:
            client.get("/v1/x")
            async with launched(given(server, 1), tmp_path, *sockets) as turnout:
                await turnout.ready()
                assert b" 200 " in await client.until(b"\r\n")
                assert await turnout.end() == 0


async def test_the_service_manager_is_told_what_happens(
    tmp_path: Path, sockets: list[socket.socket], notices: socket.socket
) -> None:
    address = notices.getsockname()
    async with (
        scripted_upstream() as server,
        launched(given(server, 1), tmp_path, *sockets, notify=address) as turnout,
    ):
        assert await notice(notices) == ["READY=1"]
        await turnout.ready()
        (control,) = turnout.children("control")
        os.kill(control, signal.SIGSTOP)
        for _ in range(2):  # nothing comes between: it is not ready before control has looked
            os.kill(turnout.pid, signal.SIGHUP)
            assert (await notice(notices))[0] == "RELOADING=1"
        os.kill(control, signal.SIGCONT)
        assert await notice(notices) == ["READY=1"]
        await turnout.upgrade()
        assert (await notice(notices))[0] == "RELOADING=1"
        assert await notice(notices) == [f"MAINPID={turnout.pid}", "READY=1"]
        assert await turnout.left() == 0
        assert await turnout.get("/v1/x") == 200
        os.kill(turnout.pid, signal.SIGTERM)
        assert await notice(notices) == ["STOPPING=1"]
        await eventually(lambda: gone([turnout.pid]), bool)
