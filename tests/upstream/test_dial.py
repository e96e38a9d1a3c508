"""Reaching an upstream: names, TCP, TLS, a proxy; and which failure is whose."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from proxy.errors import ConnectFailure, UpstreamFailure, UpstreamTimeout
from proxy.exchange import ErrorCode
from proxy.upstream.dial import NAME_SECONDS, Names, connect_request
from tests.support.certificates import Certificates
from tests.support.open_files import out_of_files
from tests.support.scripted_upstream import (
    HANG,
    RESET,
    Steps,
    black_hole_port,
    plain_reply,
    refusing_port,
    scripted_upstream,
)
from tests.support.upstream_client import client_of, exchange


async def failure_at(port: int, **changes: object) -> UpstreamFailure:
    async with client_of(port, **changes) as client:  # type: ignore[arg-type]
        with pytest.raises(UpstreamFailure) as failure:
            await client.acquire()
        assert client.report().connect_failures == 1
        return failure.value


async def test_a_refused_connection_is_told_as_such() -> None:
    with refusing_port() as port:
        failure = await failure_at(port)
    assert isinstance(failure, ConnectFailure)
    assert failure.code == ErrorCode.PROVIDER_CONNECT_FAILED


async def test_files_that_we_ran_out_of_are_not_held_against_the_upstream() -> None:
    async with scripted_upstream() as server, client_of(server.port, eject_after=1) as client:
        with out_of_files(), pytest.raises(ConnectFailure) as failure:
            await client.acquire()
        assert failure.value.code == ErrorCode.PROVIDER_OVERLOADED
        assert client.report().connect_failures == 0
        client.release(await client.acquire())


@pytest.mark.alone
async def test_a_black_hole_is_left_at_the_time_out_give_or_take_a_tenth() -> None:
    loop = asyncio.get_running_loop()
    with black_hole_port() as port:
        before = loop.time()
        failure = await failure_at(port, timeouts={"connect": 1.0})
        assert 0.9 <= loop.time() - before <= 1.1
    assert isinstance(failure, UpstreamTimeout)
    assert failure.code == ErrorCode.PROVIDER_CONNECT_TIMEOUT


@pytest.mark.parametrize("host", ["no-such-name.invalid", "x" * 64 + ".invalid", "a..b"])
async def test_an_unknown_name_is_told_as_such(host: str) -> None:
    failure = await failure_at(80, host=host)
    assert isinstance(failure, ConnectFailure)
    assert failure.code == ErrorCode.PROVIDER_NAME_UNKNOWN


async def test_a_name_with_two_families_is_reached_by_the_one_that_answers() -> None:
    async with (
        scripted_upstream() as server,  # on IPv4 only
        client_of(server.port, host="localhost") as client,
    ):
        assert (await exchange(client))[0].status == 200


async def test_nagle_is_off() -> None:
    async with scripted_upstream() as server, client_of(server.port) as client:
        connection = await client.acquire()
        sock = connection._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        client.release(connection)


# Names.


class Resolver:
    """A loop's getaddrinfo that counts, and fails when told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.asked = 0
        self.failure: socket.gaierror | None = None
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self._answer)
        self.names = Names("models.test", 80, lambda: self.now)

    async def _answer(self, host: str, port: int, **_: int) -> list[object]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]


asyncio_only = pytest.mark.asyncio(loop_factories=["asyncio"])  # uvloop's can't be replaced


@asyncio_only
async def test_a_name_is_looked_up_once_for_all_who_ask_and_again_when_it_is_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolver = Resolver(monkeypatch)
    await asyncio.gather(*(resolver.names.addresses() for _ in range(20)))
    assert resolver.asked == 1
    resolver.now += NAME_SECONDS
    await resolver.names.addresses()
    assert resolver.asked == 2


@asyncio_only
async def test_a_resolver_that_is_down_does_not_take_a_known_name_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolver = Resolver(monkeypatch)
    known = await resolver.names.addresses()
    resolver.now += NAME_SECONDS
    resolver.failure = socket.gaierror(socket.EAI_AGAIN, "try again")
    assert await resolver.names.addresses() == known
    resolver.now += NAME_SECONDS
    resolver.failure = socket.gaierror(socket.EAI_NONAME, "gone")
    with pytest.raises(ConnectFailure):
        await resolver.names.addresses()


# TLS.


async def test_tls_is_verified_by_the_configured_authority(certificates: Certificates) -> None:
    context = certificates.server_context()
    asked_for: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    async with scripted_upstream(context) as server:
        for host in ("localhost", "127.0.0.1"):
            async with client_of(
                server.port, host=host, scheme="https", ca_file=certificates.ca_file
            ) as client:
                server.will(plain_reply(b"a" * 100_000), plain_reply(b"2"))
                assert len((await exchange(client))[1]) == 100_000
                assert (await exchange(client))[1] == b"2"
        assert len(server.connections) == 2
    assert asked_for == ["localhost", None]


async def test_a_certificate_of_an_unknown_authority_is_refused(
    certificates: Certificates,
) -> None:
    async with scripted_upstream(certificates.server_context()) as server:
        failure = await failure_at(server.port, scheme="https", host="localhost")
        assert isinstance(failure, ConnectFailure)
        assert failure.code == ErrorCode.PROVIDER_TLS
        await server.all_closed()
        assert not server.requests


async def test_a_certificate_for_another_name_is_refused(certificates: Certificates) -> None:
    async with scripted_upstream(certificates.server_context()) as server:
        failure = await failure_at(
            server.port, scheme="https", host="127.1", ca_file=certificates.ca_file
        )
    assert failure.code == ErrorCode.PROVIDER_TLS


async def test_an_authority_s_file_that_is_gone_fails_only_until_it_is_back(
    certificates: Certificates, tmp_path: Path
) -> None:
    ca_file = tmp_path / "ca.pem"
    async with (
        scripted_upstream(certificates.server_context()) as server,
        client_of(server.port, host="localhost", scheme="https", ca_file=str(ca_file)) as client,
    ):
        with pytest.raises(ConnectFailure) as raised:
            await exchange(client)
        assert raised.value.code == ErrorCode.PROVIDER_TLS
        ca_file.symlink_to(certificates.ca_file)
        assert (await exchange(client))[0].status == 200


async def test_verification_can_be_switched_off(certificates: Certificates) -> None:
    async with (
        scripted_upstream(certificates.server_context()) as server,
        client_of(server.port, scheme="https", verify=False) as client,
    ):
        assert (await exchange(client))[0].status == 200


async def test_a_peer_that_speaks_no_tls_is_a_tls_failure() -> None:
    async with scripted_upstream() as server:
        scripts: list[Steps] = [[b"HTTP/1.1 400 Bad Request\r\n\r\n", HANG], [RESET]]
        for at_connect in scripts:
            server.at_connect = at_connect
            failure = await failure_at(server.port, scheme="https")
            assert failure.code == ErrorCode.PROVIDER_TLS


async def test_a_hanging_handshake_is_left_at_the_connect_time_out() -> None:
    async with scripted_upstream() as server:
        server.at_connect = [HANG]
        failure = await failure_at(server.port, scheme="https", timeouts={"connect": 0.2})
        assert failure.code == ErrorCode.PROVIDER_CONNECT_TIMEOUT
        await server.all_closed()


def test_an_authorities_file_that_is_none_is_found_at_the_start() -> None:
    with pytest.raises(OSError, match="No such file"):
        ssl.create_default_context(cafile="/no/such/file.pem")


# A proxy.


class Tunnels:
    """A proxy that opens tunnels by CONNECT, or answers what it is told to."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.answer = b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n"
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.answer)
        port = int(self.heads[-1].split(b" ")[1].rpartition(b":")[2])
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, far_writer))
                group.create_task(self._pump(far_reader, writer))
        except* OSError:
            pass
        finally:
            writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()


@asynccontextmanager
async def tunnels() -> AsyncIterator[Tunnels]:
    proxy = Tunnels()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    async with server:
        yield proxy


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_is_asked_for_a_tunnel(scheme: str, certificates: Certificates) -> None:
    context = certificates.server_context() if scheme == "https" else None
    async with scripted_upstream(context) as server, tunnels() as proxy:
        async with client_of(
            server.port,
            host="localhost",
            scheme=scheme,
            proxy=f"http://me:p%40ss@127.0.0.1:{proxy.port}",
            ca_file=certificates.ca_file,
        ) as client:
            for _ in range(2):
                assert (await exchange(client))[0].status == 200
        await server.all_closed()
        target = b"localhost:%d" % server.port
        assert proxy.heads == [
            b"CONNECT " + target + b" HTTP/1.1\r\nHost: " + target + b"\r\n"
            b"Proxy-Authorization: Basic bWU6cEBzcw==\r\n\r\n"
        ]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nand more",
        b"SOCKS\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000,
    ],
)
async def test_a_proxy_that_opens_no_tunnel_is_a_failure_to_connect(answer: bytes) -> None:
    with refusing_port() as nowhere:
        async with tunnels() as proxy:
            proxy.answer = answer
            failure = await failure_at(nowhere, proxy=f"http://127.0.0.1:{proxy.port}")
    assert isinstance(failure, ConnectFailure)
    assert failure.code == ErrorCode.PROVIDER_CONNECT_FAILED


async def test_a_proxy_that_closes_or_resets_is_a_failure_to_connect() -> None:
    async with scripted_upstream() as proxy:
        proxy.at_connect = [RESET]
        failure = await failure_at(80, proxy=f"http://127.0.0.1:{proxy.port}")
    assert failure.code == ErrorCode.PROVIDER_CONNECT_FAILED


def test_an_address_of_the_sixth_version_stands_in_brackets() -> None:
    assert connect_request("http://proxy", "::1", 443).startswith(
        b"CONNECT [::1]:443 HTTP/1.1\r\n"
    )
