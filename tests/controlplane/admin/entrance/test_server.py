"""The listener over a real socket: what is ambiguous, what is slow, and who is believed."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.controlplane.admin.entrance.server import HEAD_BYTES, Prompt, serve
from tests.support.administered import ADMIN, Administered, administered
from tests.support.raw_client import raw_client

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
SPLIT = (
    b"POST /api/v1/routes/support/split HTTP/1.1\r\nHost: localhost\r\n"
    b"Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
)


class Impatient(Prompt):
    """A listener that is quickly tired of waiting."""

    seconds = 0.3


@asynccontextmanager
async def listening(protocol: type[Prompt] = Prompt) -> AsyncIterator[tuple[Administered, int]]:
    sock = socket.create_server(("127.0.0.1", 0))
    port: int = sock.getsockname()[1]
    async with administered() as admin, serve(admin.app, sock, protocol):
        yield admin, port


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * HEAD_BYTES,
    ],
)
async def test_what_is_ambiguous_or_too_large_is_refused_on_the_wire(sent: bytes) -> None:
    async with listening() as (_, port), raw_client(port) as client:
        client.send(sent)
        assert b" 400 " in await client.until(b"\r\n")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nHost: local",
        SPLIT % ADMIN.encode() + b"Content-Length: 100\r\n\r\n{",
        SPLIT % ADMIN.encode() + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        HEALTH + b"GET /healthz",
    ],
    ids=["silent", "head", "body", "chunked body", "second head"],
)
async def test_a_request_that_does_not_come_whole_in_time_ends_its_connection(
    sent: bytes,
) -> None:
    async with listening(Impatient) as (admin, port), raw_client(port) as client:
        client.send(sent)
        answer = await client.rest()
        assert answer.count(b"HTTP/1.1 200") == sent.count(HEALTH)
        assert admin.publisher.current.number == 1


async def test_a_connection_may_rest_between_requests_for_longer_than_one_may_take() -> None:
    async with listening(Impatient) as (_, port), raw_client(port) as resting:
        resting.send(HEALTH)
        await resting.until(b"ok\n")
        async with raw_client(port) as silent:  # its end says that the time has passed
            assert await silent.rest() == b""
        resting.send(HEALTH)
        assert b" 200 " in await resting.until(b"ok\n")


async def test_a_body_in_pieces_is_taken_while_it_is_in_time() -> None:
    body = b'{"weights": {"base": 1}}'
    async with listening() as (admin, port), raw_client(port) as client:
        client.send(SPLIT % ADMIN.encode() + b"Content-Length: %d\r\n\r\n" % len(body))
        for byte in body:
            client.send(bytes([byte]))
        assert b" 200 " in await client.until(b"\r\n")
        assert [each.who for each in admin.entries] == ["ann"]


async def test_nobody_can_say_that_they_call_from_elsewhere() -> None:
    forged = b"X-Forwarded-For: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\nContent-Length: 2\r\n"
    async with listening() as (admin, port), raw_client(port) as client:
        client.send(SPLIT % b"wrong" + forged + b"\r\n{}")
        assert b" 401 " in await client.until(b"\r\n")
    assert [(each.who, each.origin) for each in admin.entries] == [("-", "127.0.0.1")]


@pytest.mark.parametrize(
    "target",
    [
        "/healthz/../api/v1/status",
        "/api/v1/../v1/status",
        "/./api/v1/status",
        "/api/v1/x/../status",
    ],
)
async def test_dots_in_a_path_lead_nowhere(target: str) -> None:
    head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN}\r\n\r\n"
    async with listening() as (_, port), raw_client(port) as client:
        client.send(head.encode())
        assert b" 404 " in await client.until(b"\r\n")


async def test_the_kernel_ends_readers_that_take_nothing() -> None:
    sock = socket.create_server(("127.0.0.1", 0))
    async with administered() as admin, serve(admin.app, sock):
        option = getattr(socket, "TCP_USER_TIMEOUT", None)
        if option is not None:
            assert sock.getsockopt(socket.IPPROTO_TCP, option) == 30_000
