"""Child processes that are small scripts."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.channel.lifeline import Alive, Drain, Finish, FromChild, Ready
from proxy.controlplane.supervision.child import Child, ending, pause
from proxy.errors import StartError
from tests.support.patience import eventually
from tests.support.whole import command, descendants

PATIENCE = 15.0

READY = """
import asyncio, sys
from proxy.channel.lifeline import Finish, Ready, child_end
async def main():
    wire = await child_end(int(sys.argv[1]))
    await wire.receive()
    wire.post(Ready())
    if isinstance(await wire.receive(), Finish):
        return
asyncio.run(main())
"""
TALKATIVE = READY.replace("wire.post(Ready())", "wire.post(Ready()); wire.post(Alive())").replace(
    "import Finish", "import Alive, Finish"
)
STUBBORN = READY + "import time; time.sleep(60)"
NEVER_READY = "import sys; sys.exit(5)"


class Kept:
    """A child that is kept, and what was said of it."""

    def __init__(self, script: str, silence: float) -> None:
        self.said: asyncio.Queue[str] = asyncio.Queue()
        self.ended: list[int] = []
        self.heard: list[FromChild] = []
        self.child = Child(
            "test",
            [sys.executable, "-c", script],
            launch=lambda: Drain(seconds=0),
            files=list,
            environment=os.environ,
            ended=self.ended.append,
            heard=self.heard.append,
            say=self.said.put_nowait,
            silence=silence,
        )
        self.task = asyncio.create_task(self.child.keep())

    async def ready(self) -> int:
        async with asyncio.timeout(PATIENCE):
            await self.child.ready.wait()
        return await self.pid()

    async def pid(self) -> int:
        async def running() -> list[int]:
            return [pid for pid in descendants(os.getpid()) if "-c" in command(pid)]

        return (await eventually(running, bool))[0]

    async def over(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.task


@asynccontextmanager
async def keeping(script: str, silence: float = PATIENCE) -> AsyncIterator[Kept]:
    kept = Kept(script, silence)
    try:
        yield kept
    finally:
        kept.child.kill()
        await asyncio.wait([kept.task])


def test_each_further_start_waits_longer_up_to_a_bound() -> None:
    waits = [pause(failures) for failures in range(1, 20)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (0.0, 5.0)


@pytest.mark.parametrize(("status", "words"), [(-9, "SIGKILL"), (3, "exit code 3")])
def test_an_ending_is_said_in_words(status: int, words: str) -> None:
    assert ending(status) == words


async def test_a_child_that_was_retired_is_not_started_again() -> None:
    async with keeping(READY) as kept:
        await kept.ready()
        kept.child.retire(Finish())
        await kept.over()
        assert kept.said.empty()


async def test_an_order_that_comes_before_the_process_is_there_is_not_lost() -> None:
    async with keeping(READY) as kept:
        await asyncio.sleep(0)  # a turn of the loop: the task began
        kept.child.retire(Finish())
        await kept.over()


async def test_a_child_that_dies_is_started_again_and_its_pid_told() -> None:
    async with keeping(READY) as kept:
        first = await kept.ready()
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            assert await kept.said.get() == "the test process ended (SIGKILL); starting it again"
        assert kept.ended == [first]
        assert await kept.pid() != first


async def test_what_the_process_says_is_passed_on() -> None:
    async with keeping(TALKATIVE) as kept:
        await kept.ready()

        async def heard() -> list[FromChild]:
            return kept.heard

        assert (await eventually(heard, lambda all_: len(all_) > 1))[:2] == [Ready(), Alive()]


async def test_a_child_that_falls_silent_is_ended_and_started_again() -> None:
    async with keeping(READY, silence=0.05) as kept:
        first = await kept.ready()
        async with asyncio.timeout(PATIENCE):
            assert "says nothing any more" in await kept.said.get()
            assert await kept.said.get() == "the test process ended (SIGKILL); starting it again"
        assert kept.ended == [first]


@pytest.mark.usefixtures("hasty")
async def test_a_child_that_makes_room_is_ended_only_if_it_still_is_the_one() -> None:
    async with keeping(STUBBORN) as kept:
        pid = await kept.ready()
        assert not kept.child.replace(pid + 1, "it is another")
        assert kept.child.replace(pid, "it does not listen")
        async with asyncio.timeout(PATIENCE):
            assert await kept.said.get() == "replacing the test process: it does not listen"
            assert await kept.said.get() == "the test process ended (SIGKILL); starting it again"
        assert not kept.child.replace(pid, "again")


@pytest.mark.usefixtures("hasty")
async def test_a_child_makes_room_whichever_process_it_is() -> None:
    async with keeping(STUBBORN) as kept:
        await kept.ready()
        assert kept.child.replace(None, "nobody knows it")
        async with asyncio.timeout(PATIENCE):
            assert await kept.said.get() == "replacing the test process: nobody knows it"
            assert await kept.said.get() == "the test process ended (SIGKILL); starting it again"


async def test_a_child_that_does_not_listen_is_killed() -> None:
    async with keeping(STUBBORN) as kept:
        pid = await kept.ready()
        kept.child.retire(Finish())
        kept.child.kill()
        await kept.over()
        assert command(pid) == []


async def test_a_child_that_never_was_ready_fails_the_start() -> None:
    async with keeping(NEVER_READY) as kept:
        with pytest.raises(StartError, match="ended at its start \\(exit code 5\\)"):
            await kept.over()


async def test_a_child_does_not_outlive_its_keeping() -> None:
    async with keeping(STUBBORN) as kept:
        pid = await kept.ready()
        kept.task.cancel()
        await asyncio.wait([kept.task])

        async def left() -> list[str]:
            return command(pid)

        await eventually(left, lambda words: not words)
