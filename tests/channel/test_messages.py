import asyncio
import socket
from collections.abc import AsyncIterator

import msgspec
import pytest
from msgspec import Raw

from proxy.channel.messages import (
    FromControl,
    FromWorker,
    Gauges,
    Publication,
    Report,
    UpstreamReport,
)
from proxy.channel.wire import MOST, Wire
from proxy.config.settings import ClientKey, DataPlane, UpstreamSettings
from proxy.exchange import Texts
from proxy.routing.table import Route, RoutingTable, Variant
from tests.support.observed import observed

Pair = tuple[Wire[FromControl], Wire[FromWorker]]


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    one, two = socket.socketpair()
    wires: Pair = (await Wire.on(one, FromControl), await Wire.on(two, FromWorker))
    yield wires
    for wire in wires:
        await wire.close()


async def test_settings_arrive_as_they_were_raw_members_included(pair: Pair) -> None:
    worker, control = pair
    variant = Variant(name="b", upstream="u", overrides={"stop": Raw(b'["\\u00e9", 1.50]')})
    table = RoutingTable(
        version=7,
        digest="d",
        routes={"r": Route(name="r", variants=(variant,), weights=(1.0,))},
    )
    settings = DataPlane(
        table=table,
        upstreams={"u": UpstreamSettings(name="u", scheme="http", host="h", port=1)},
        keys=(ClientKey(name="k", sha256="0", slot=0, routes=("r",)),),
    )
    await control.send(Publication.of(settings))
    publication = await worker.receive()
    assert isinstance(publication, Publication)
    arrived = publication.data_plane()
    assert msgspec.json.encode(arrived) == msgspec.json.encode(settings)
    members = arrived.table.routes["r"].variants[0].overrides
    assert bytes(members["stop"]) == b'["\\u00e9", 1.50]'


async def test_a_report_larger_than_every_buffer_arrives_whole(pair: Pair) -> None:
    worker, control = pair
    report = Report(
        offset=3,
        observations=(observed(texts=Texts(b"\x00\xff" * 400_000, "\N{SNOWMAN}" * 100_000)),) * 2,
        gauges=Gauges(in_flight=2, upstreams=(UpstreamReport(name="u", requests=9),)),
    )
    sending = asyncio.create_task(worker.send(report))
    assert await control.receive() == report
    await sending


@pytest.mark.parametrize(
    "nonsense",
    [b"\x00\x00\x00\x01\xc1", (MOST + 1).to_bytes(4, "big"), b"\x00\x00\x00\x09abc", b""],
)
async def test_nonsense_and_an_early_end_are_connection_errors(nonsense: bytes) -> None:
    ours, theirs = socket.socketpair()
    wire: Wire[FromWorker] = await Wire.on(ours, FromWorker)
    theirs.sendall(nonsense)
    theirs.close()
    with pytest.raises(ConnectionError):
        await wire.receive()
    await wire.close()
