"""Control and workers that are small scripts, and say on stdout what they were told."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from proxy.controlplane.supervision.children import Children, Commands
from proxy.controlplane.supervision.holdings.sockets import Sockets
from tests.support.data_plane import settings_of
from tests.support.patience import eventually
from tests.support.whole import settings

COMMON = """
import asyncio, os, sys
from pathlib import Path
from proxy.channel.lifeline import *
heard = open(os.environ["PYTHON_TEST_HEARD"], "a", buffering=1)
async def main():
    wire = await child_end(int(sys.argv[1]))
    launch = await wire.receive()
    wire.post(Ready())
    await after(wire, launch)
"""
WORKER = (
    COMMON
    + """
async def after(wire, launch):
    print(f"worker {launch.worker} is {os.getpid()}", file=heard)
    while True:
        match await wire.receive():
            case Accept(listeners=listeners):
                which = [launch.listeners.index(each) for each in listeners]
                print(f"worker {launch.worker} accepts on {which}", file=heard)
asyncio.run(main())
"""
)
CONTROL = (
    COMMON
    + """
async def after(wire, launch):
    while "worker 0 is" not in (text := Path(heard.name).read_text()):
        await asyncio.sleep(0.02)
    pid = int(text.split("worker 0 is ")[1].split()[0])
    wire.post(Replace(worker=0, pid=pid, why="it does not acknowledge version 3"))
    wire.post(Replace(worker=7, pid=pid, why="there is no such worker"))
    while True:
        print("control hears", type(await wire.receive()).__name__, file=heard)
asyncio.run(main())
"""
)


@asynccontextmanager
async def kept(said: list[str]) -> AsyncIterator[Children]:
    """Keep two workers and a control that has something against the first."""
    given = settings(settings_of(upstreams=[], workers=2))
    python = [sys.executable, "-c"]
    commands = Commands(control=[*python, CONTROL], worker=[*python, WORKER])
    with Sockets(given, None, {}) as sockets:
        children = Children(given, commands, sockets, said.append, lambda: None)
        tasks = [asyncio.create_task(child.keep()) for child in children]
        try:
            yield children
        finally:
            for child in children:
                child.kill()
            await asyncio.wait(tasks)


@pytest.mark.usefixtures("hasty")
async def test_who_is_given_up_by_control_makes_room_and_others_accept_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "heard"
    monkeypatch.setenv("PYTHON_TEST_HEARD", str(file))
    said: list[str] = []

    async def heard() -> list[str]:
        return file.read_text().splitlines()

    async with kept(said):
        lines = await eventually(heard, lambda seen: "worker 1 accepts on [1]" in seen)
    assert lines.index("worker 1 accepts on [0, 1]") < lines.index("worker 1 accepts on [1]")
    assert "control hears WorkerEnded" in lines
    assert [line for line in said if "replacing" in line] == [
        "replacing the worker 0 process: it does not acknowledge version 3"
    ]
    assert any(line.startswith("the worker 0 process ended (SIGKILL)") for line in said)
