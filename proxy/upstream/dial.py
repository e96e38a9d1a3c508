"""Making a connection: name, TCP, a proxy's CONNECT, TLS, all within one time-out.

It knows how an upstream is reached and which failure is whose. It does not know what is sent,
nor how many connections there are.
"""

import asyncio
import base64
import errno
import ipaddress
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import unquote, urlsplit

import aiohappyeyeballs

from proxy.config.settings import UpstreamSettings
from proxy.errors import ConnectFailure, UpstreamTimeout
from proxy.exchange import ErrorCode
from proxy.upstream.connection import Connection, Keeper
from proxy.upstream.reply import ReplyHeads

NAME_SECONDS = 10.0  # how long a name's addresses are kept: getaddrinfo tells no TTL
SECOND_TRY_SECONDS = 0.25  # RFC 8305: the delay before the other family is tried beside
CONNECT_REPLY_BYTES = 16 * 1024
# This process or host is out of files or memory: no upstream is to be blamed for that.
_OUR_SHORTAGE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Names:
    """A name's addresses, looked up once for all who ask at the same time."""

    def __init__(self, host: str, port: int, clock: Callable[[], float]) -> None:
        self._host = host
        self._port = port
        self._clock = clock
        self._known: list[aiohappyeyeballs.AddrInfoType] = []
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def addresses(self) -> list[aiohappyeyeballs.AddrInfoType]:
        """Return the addresses; raises ConnectFailure(provider_name_unknown)."""
        if self._clock() < self._until:
            return self._known
        async with self._lock:
            if self._clock() >= self._until:
                self._known = await self._look_up()
                self._until = self._clock() + NAME_SECONDS
        return self._known

    async def _look_up(self) -> list[aiohappyeyeballs.AddrInfoType]:
        loop = asyncio.get_running_loop()
        flags = socket.AI_NUMERICHOST if is_literal(self._host) else 0
        try:
            found = await loop.getaddrinfo(
                self._host,
                self._port,
                type=socket.SOCK_STREAM,
                proto=socket.IPPROTO_TCP,
                flags=flags,
            )
        except socket.gaierror as error:
            if self._known and error.errno == socket.EAI_AGAIN:
                return self._known  # the resolver is down: that need not take the upstream along
            raise ConnectFailure(ErrorCode.PROVIDER_NAME_UNKNOWN, str(error)) from error
        except UnicodeError as error:  # no name at all: a label too long, say
            raise ConnectFailure(ErrorCode.PROVIDER_NAME_UNKNOWN, str(error)) from error
        return list(found)


class Dialer:
    """Dials one upstream."""

    def __init__(self, settings: UpstreamSettings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._tls: ssl.SSLContext | None = None
        if settings.scheme == "https":
            # A file that is gone since it was checked must not end a worker: dialling looks again.
            with suppress(OSError):
                self._tls = tls_context(settings)
        self._tunnel: bytes | None = None
        host, port = settings.host, settings.port
        if settings.proxy is not None:
            self._tunnel = connect_request(settings.proxy, host, port)
            proxy = urlsplit(settings.proxy)
            host, port = proxy.hostname or "", proxy.port or 80
        self._heads = ReplyHeads()
        self._names = Names(host, port, clock)

    async def dial(self, keeper: Keeper) -> Connection:
        """Return a connection; raises ConnectFailure or UpstreamTimeout."""
        try:
            async with asyncio.timeout(self._settings.timeouts.connect):
                sock = await self._tcp()
                return await self._attach(sock, keeper)
        except TimeoutError as error:
            raise UpstreamTimeout(ErrorCode.PROVIDER_CONNECT_TIMEOUT) from error

    async def _tcp(self) -> socket.socket:
        addresses = await self._names.addresses()
        try:
            sock = await aiohappyeyeballs.start_connection(
                addresses, happy_eyeballs_delay=SECOND_TRY_SECONDS
            )
        except (OSError, RuntimeError) as error:  # uvloop: RuntimeError where the loop is strained
            ours = isinstance(error, OSError) and error.errno in _OUR_SHORTAGE
            code = ErrorCode.PROVIDER_OVERLOADED if ours else ErrorCode.PROVIDER_CONNECT_FAILED
            raise ConnectFailure(code, str(error)) from error
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    async def _attach(self, sock: socket.socket, keeper: Keeper) -> Connection:
        """Make a connection of a socket, which is closed if that fails."""
        connection = Connection(
            asyncio.get_running_loop(),
            keeper,
            timeouts=self._settings.timeouts,
            keepalive=self._settings.keepalive_seconds,
            clock=self._clock,
            heads=self._heads,
        )
        attached = False
        try:
            if self._tunnel is not None:
                await self._open_tunnel(sock, self._tunnel)
            await self._start(sock, connection)
            attached = True
        finally:
            if not attached:
                connection.abandon()
                sock.close()
        return connection

    async def _open_tunnel(self, sock: socket.socket, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        reply = b""
        try:
            await loop.sock_sendall(sock, request)
            while b"\r\n\r\n" not in reply:
                piece = await loop.sock_recv(sock, 4096)
                reply += piece
                if not piece or len(reply) > CONNECT_REPLY_BYTES:
                    break
        except OSError as error:
            raise ConnectFailure(ErrorCode.PROVIDER_CONNECT_FAILED, f"proxy: {error}") from error
        status = reply.split(b" ", 2)[1:2]
        if not (reply.startswith(b"HTTP/1.") and status and status[0][:1] == b"2"):
            raise ConnectFailure(ErrorCode.PROVIDER_CONNECT_FAILED, "the proxy opened no tunnel")
        if not reply.endswith(b"\r\n\r\n"):  # cut, or more than a head: no peer speaks first
            raise ConnectFailure(ErrorCode.PROVIDER_CONNECT_FAILED, "the proxy's reply is odd")

    async def _start(self, sock: socket.socket, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        settings = self._settings
        try:
            if settings.scheme != "https":
                await loop.create_connection(lambda: connection, sock=sock)
            else:
                self._tls = self._tls or tls_context(settings)
                await loop.create_connection(
                    lambda: connection,
                    sock=sock,
                    ssl=self._tls,
                    server_hostname=settings.host,
                    ssl_handshake_timeout=settings.timeouts.connect * 2,  # ours is first
                )
        except OSError as error:
            plain = settings.scheme != "https"
            code = ErrorCode.PROVIDER_CONNECT_FAILED if plain else ErrorCode.PROVIDER_TLS
            raise ConnectFailure(code, str(error)) from error


def is_literal(host: str) -> bool:
    """Return whether `host` is an address, which needs no look-up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def tls_context(settings: UpstreamSettings) -> ssl.SSLContext:
    """Return the context by which an upstream is verified: the system's authorities, or ours.

    OSError: the file of ours is not there, or is bad.
    """
    context = ssl.create_default_context(cafile=settings.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # not every build's default
    context.set_alpn_protocols(["http/1.1"])
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def connect_request(proxy: str, host: str, port: int) -> bytes:
    """Return the request that asks `proxy` (a URL, perhaps with a password) for a tunnel."""
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    parts = urlsplit(proxy)
    if parts.username is not None:
        word = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(word.encode()).decode()}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")
