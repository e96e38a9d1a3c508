"""The courier against a control that the test plays."""

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from proxy.channel import Gauges, Outbox, Wire
from proxy.channel.courier import Courier
from proxy.channel.messages import (
    Acknowledged,
    FromWorker,
    Hello,
    Publication,
    Received,
    Report,
    Spent,
)
from proxy.channel.outbox import BATCH
from tests.support.data_plane import settings_of
from tests.support.observed import observed

PATIENCE = 10.0
SETTINGS = settings_of(upstreams=[])


class Scene:
    """A courier that runs, and the control of the test."""

    def __init__(self, path: str) -> None:
        self.dropped = 0
        self.adopted: list[object] = []
        self.heeded: list[object] = []
        self.outbox = Outbox(self._drop)
        self.courier = Courier(
            path=path,
            worker=3,
            outbox=self.outbox,
            adopt=self.adopted.append,
            heed=self.heeded.append,
            gauges=lambda: Gauges(in_flight=1),
        )
        self.callers: asyncio.Queue[Wire[FromWorker]] = asyncio.Queue()
        self.wires: list[Wire[FromWorker]] = []
        self._path = path
        self._server: asyncio.Server | None = None

    def _drop(self) -> None:
        self.dropped += 1

    async def open(self) -> None:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(self._path)
        self._server = await asyncio.start_unix_server(self._greet, sock=listener)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            with suppress(FileNotFoundError):  # from Python 3.13 on, asyncio did it
                os.unlink(self._path)  # noqa: PTH108  # pathlib blocks no less
            self._server = None
        for wire in self.wires:
            await wire.close()
        self.wires.clear()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire: Wire[FromWorker] = Wire(reader, writer, FromWorker)
        self.wires.append(wire)
        self.callers.put_nowait(wire)

    async def caller(self) -> Wire[FromWorker]:
        async with asyncio.timeout(PATIENCE):
            return await self.callers.get()


async def heard(wire: Wire[FromWorker]) -> FromWorker:
    async with asyncio.timeout(PATIENCE):
        return await wire.receive()


async def report(wire: Wire[FromWorker]) -> Report:
    """Return the next report that carries observations; those without are answered."""
    while True:
        message = await heard(wire)
        assert isinstance(message, Report)
        if message.observations:
            return message
        await wire.send(Received(offset=message.offset))


async def welcomed(scene: Scene) -> Wire[FromWorker]:
    """Return a connection on which settings were pushed and acknowledged."""
    wire = await scene.caller()
    assert isinstance(await heard(wire), Hello)
    await wire.send(Publication.of(SETTINGS))
    while not isinstance(await heard(wire), Acknowledged):
        pass
    return wire


@asynccontextmanager
async def playing() -> AsyncIterator[Scene]:
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(str(Path(folder) / "channel"))
        running = asyncio.create_task(scene.courier.run())
        try:
            yield scene
        finally:
            running.cancel()
            await asyncio.wait([running])
            assert running.cancelled(), running.exception()
            await scene.close()


async def test_what_budgets_are_spent_is_heeded() -> None:
    spent = Spent(routes={"support": 1_800_000_000.0}, keys={"mobile": 1_800_000_000.0})
    async with playing() as scene:
        await scene.open()
        wire = await welcomed(scene)
        await wire.send(spent)
        await wire.send(Spent())
        await wire.send(Publication.of(SETTINGS, 2))
        while await heard(wire) != Acknowledged(serial=2, version=1):
            pass
        assert scene.heeded == [spent, Spent()]


async def test_it_says_hello_adopts_what_it_is_sent_and_acknowledges_it() -> None:
    async with playing() as scene:
        await scene.open()
        wire = await scene.caller()
        hello = await heard(wire)
        assert isinstance(hello, Hello)
        assert (hello.worker, hello.pid, hello.fresh) == (3, os.getpid(), True)
        await wire.send(Publication.of(SETTINGS))
        assert await heard(wire) == Acknowledged(serial=1, version=1)
        assert scene.adopted == [SETTINGS]
        gauges = await heard(wire)
        assert isinstance(gauges, Report)
        assert gauges.gauges == Gauges(in_flight=1)


async def test_one_batch_at_a_time_and_the_next_when_the_last_was_taken() -> None:
    async with playing() as scene:
        await scene.open()
        wire = await welcomed(scene)
        for number in range(BATCH + 1):
            scene.outbox.offer(observed(request_id=str(number)))
        first = await report(wire)
        assert (first.offset, len(first.observations)) == (0, BATCH)
        assert len(scene.outbox) == BATCH + 1, "kept until it is taken"
        await wire.send(Received(offset=BATCH))
        second = await report(wire)
        assert (second.offset, len(second.observations)) == (BATCH, 1)


async def test_what_was_not_taken_is_sent_again_to_the_next_control() -> None:
    async with playing() as scene:
        await scene.open()
        wire = await welcomed(scene)
        scene.outbox.offer(observed(request_id="1"))
        sent = await report(wire)
        await scene.close()
        scene.outbox.offer(observed(request_id="2"))
        await scene.open()
        wire = await scene.caller()
        hello = await heard(wire)
        assert isinstance(hello, Hello)
        assert not hello.fresh, "it has served, and serves on"
        await wire.send(Publication.of(SETTINGS))
        again = await heard(wire)
        while not isinstance(again, Report):
            again = await heard(wire)
        assert again.offset == sent.offset
        assert [each.request_id for each in again.observations] == ["1", "2"]


async def test_a_part_that_was_taken_is_not_sent_again() -> None:
    async with playing() as scene:
        await scene.open()
        wire = await welcomed(scene)
        for number in range(3):
            scene.outbox.offer(observed(request_id=str(number)))
        await report(wire)
        await wire.send(Received(offset=2))
        rest = await report(wire)
        assert (rest.offset, len(rest.observations)) == (2, 1)


async def test_a_control_that_talks_nonsense_is_left_and_tried_again() -> None:
    async with playing() as scene:
        await scene.open()
        wire = await scene.caller()
        wire._writer.write(b"\x00\x00\x00\x01\xc1")
        assert await scene.caller() is not wire


@pytest.mark.parametrize("taken", [True, False])
async def test_a_flush_does_not_wait_for_the_batch_to_grow(taken: bool) -> None:  # noqa: FBT001  # a case
    async with playing() as scene:
        await scene.open()
        wire = await welcomed(scene)
        scene.outbox.offer(observed())
        flushing = asyncio.create_task(scene.courier.flush(PATIENCE if taken else 0.05))
        sent = await report(wire)
        if taken:
            await wire.send(Received(offset=len(sent.observations)))
        assert await flushing is taken


async def test_a_flush_of_nothing_is_done() -> None:
    async with playing() as scene:
        assert await scene.courier.flush(0.01)
