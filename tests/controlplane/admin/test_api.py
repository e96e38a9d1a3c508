"""Administration over a real socket, and its answers as an ASGI application's."""

import os
import socket
from collections.abc import AsyncIterator

import httpx2
import pytest

from proxy.channel import Gauges, Hello, Ledger, UpstreamReport, create_memory
from proxy.controlplane.admin.api import administration, serve
from proxy.controlplane.fleet import Fleet
from proxy.routing.table import RoutingTable
from tests.support.raw_client import raw_client


def render() -> tuple[bytes, str]:
    return b"up 1\n", "text/plain; version=0.0.4; charset=utf-8"


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    memory = create_memory(workers=1, slots=1)
    fleet = Fleet(
        Ledger(memory), RoutingTable(version=3, digest="d", routes={}), {"worker": 2, "control": 0}
    )
    fleet.joined(Hello(worker=0, pid=7, turnout="1.0", fresh=True))
    fleet.acknowledged(0, 3)
    fleet.reported(0, Gauges(in_flight=2, upstreams=(UpstreamReport(name="u", requests=9),)))
    app = administration(fleet, render, "admin.internal")
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8001") as client:
        yield client
    os.close(memory)


async def test_metrics_are_what_is_rendered_under_its_own_type(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert (answer.status_code, answer.content) == (200, b"up 1\n")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_health_is_plain(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/healthz")).text == "ok\n"


async def test_status_says_table_workers_exchanges_and_upstreams(
    client: httpx2.AsyncClient,
) -> None:
    status = (await client.get("/api/v1/status")).json()
    assert status["table"] == {"version": 3, "digest": "d", "workers": 1}
    assert status["workers"][0]["pid"] == 7
    assert status["exchanges"] == {
        "begun": 0,
        "taken": 0,
        "dropped": 0,
        "lost": 0,
        "in_flight": 2,
    }
    assert status["upstreams"][0]["requests"] == 9
    assert status["restarts"] == {"worker": 2, "control": 0}


async def test_the_interface_is_described_and_no_page_loads_scripts_from_elsewhere(
    client: httpx2.AsyncClient,
) -> None:
    described = (await client.get("/openapi.json")).json()
    assert set(described["paths"]) == {"/healthz", "/metrics", "/api/v1/status"}
    for page in ("/docs", "/redoc"):
        assert (await client.get(page)).status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/metrics/", "/admin", "/api/v1/../metrics", "/%6detrics/x"]
)
async def test_what_is_not_known_is_not_there(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_nothing_can_be_changed(client: httpx2.AsyncClient, method: str) -> None:
    for path in ("/metrics", "/api/v1/status", "/healthz"):
        answer = await client.request(method, path)
        assert answer.status_code == 405
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8001",
        "127.0.0.1",
        "localhost:8001",
        "LOCALHOST",
        "[::1]:8001",
        "[::1]",
        "10.2.3.4:8001",
        "admin.internal:8001",
    ],
)
async def test_addresses_and_the_configured_name_are_known_hosts(
    client: httpx2.AsyncClient, host: str
) -> None:
    assert (await client.get("/healthz", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8001",
        "127.0.0.1.evil.example",
        "localhost.evil:1",
        "",
        ":80",
        "@",
    ],
)
async def test_other_names_are_refused_lest_a_page_rebinds_them(
    client: httpx2.AsyncClient, host: str
) -> None:
    answer = await client.get("/metrics", headers={"host": host})
    assert answer.status_code == 400
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/metrics", "/nowhere", "/openapi.json"])
async def test_every_answer_carries_the_security_headers(
    client: httpx2.AsyncClient, path: str
) -> None:
    headers = (await client.get(path)).headers
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n",
    ],
)
async def test_a_missing_or_doubled_host_is_refused_on_the_wire(request_: bytes) -> None:
    sock = socket.create_server(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    memory = create_memory(workers=1, slots=1)
    fleet = Fleet(Ledger(memory), RoutingTable(version=1, digest="", routes={}), {})
    async with serve(administration(fleet, render, "127.0.0.1"), sock), raw_client(port) as client:
        client.send(request_)
        assert b"400" in await client.until(b"\r\n")
    os.close(memory)
