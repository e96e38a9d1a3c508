"""Administration over HTTP: metrics, health, status.

Its own listener, meant for this host or a private network. Reads what it is given; changes
nothing. A page in a browser can't reach it by a name of its own (DNS rebinding): the Host must
be an IP address, localhost, or the configured name.
"""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable

import uvicorn
from fastapi import FastAPI, Response
from pydantic import BaseModel
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from proxy import __version__
from proxy.controlplane.fleet import Fleet, on_table

Rendered = tuple[bytes, str]  # a body and its content type

KEEP_ALIVE_SECONDS = 30
STOP_SECONDS = 2
CONNECTIONS = 256
SECURITY_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Table(BaseModel):
    """The routing table in force, and on how many workers."""

    version: int
    digest: str
    workers: int


class WorkerStatus(BaseModel):
    """One running worker."""

    number: int
    pid: int
    version: str
    table_version: int | None
    in_flight: int
    connections: int


class UpstreamStatus(BaseModel):
    """One upstream as all workers together see it."""

    name: str
    open: int
    idle: int
    waiting: int
    ejected_by: int
    requests: int
    retries: int
    ejections: int
    connect_failures: int


class Exchanges(BaseModel):
    """What became of all exchanges since turnout started."""

    begun: int
    taken: int
    dropped: int
    lost: int
    in_flight: int


class Status(BaseModel):
    """The state of this turnout."""

    version: str
    table: Table
    workers: list[WorkerStatus]
    restarts: dict[str, int]
    exchanges: Exchanges
    upstreams: list[UpstreamStatus]


def administration(fleet: Fleet, render: Callable[[], Rendered], host: str) -> ASGIApp:
    """Return the application; `render` returns the metrics, `host` is a name it goes by."""
    app = FastAPI(
        title="turnout",
        version=__version__,
        docs_url=None,  # its page, and the other, would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )

    @app.get("/healthz", response_class=Response)
    async def healthz() -> Response:
        """Say that control is alive."""
        return Response("ok\n", media_type="text/plain")

    @app.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """Return all metrics in Prometheus' text format."""
        body, kind = render()
        return Response(body, headers={"content-type": kind})

    @app.get("/api/v1/status")
    async def status() -> Status:
        """Return the state of this turnout: table, workers, exchanges, upstreams."""
        return status_of(fleet)

    return Gate(app, host)


def status_of(fleet: Fleet) -> Status:
    """Return `fleet` as it is shown."""
    workers = fleet.workers.values()
    account = fleet.account
    return Status(
        version=__version__,
        table=Table(
            version=fleet.table.version,
            digest=fleet.table.digest,
            workers=on_table(workers, fleet.table.version),
        ),
        workers=[
            WorkerStatus(
                number=worker.number,
                pid=worker.pid,
                version=worker.turnout,
                table_version=worker.table_version,
                in_flight=worker.in_flight,
                connections=worker.connections,
            )
            for worker in workers
        ],
        restarts=dict(fleet.restarts),
        exchanges=Exchanges(
            begun=account.begun,
            taken=account.taken,
            dropped=account.dropped,
            lost=account.lost,
            in_flight=fleet.in_flight,
        ),
        upstreams=[
            UpstreamStatus(
                name=pool.name,
                open=pool.open,
                idle=pool.idle,
                waiting=pool.waiting,
                ejected_by=pool.ejected,
                requests=pool.requests,
                retries=pool.retries,
                ejections=pool.ejections,
                connect_failures=pool.connect_failures,
            )
            for pool in fleet.upstreams
        ],
    )


class Gate:
    """ASGI middleware: refuses foreign Hosts, and puts the security headers on every answer."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._host = host.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 400."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        hosts = [value for name, value in scope["headers"] if name == b"host"]
        known = len(hosts) == 1 and self._knows(hosts[0].decode("latin-1"))
        refusal = JSONResponse({"detail": "This Host is not known here."}, 400)
        await (self._app if known else refusal)(scope, receive, send_guarded)

    def _knows(self, value: str) -> bool:
        name, _, port = value.lower().rpartition(":")
        if not port.isdigit() or (":" in name and not name.endswith("]")):
            name = value.lower()
        if name in ("localhost", self._host):
            return True
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
            return True
        return False


class Server(uvicorn.Server):
    """uvicorn, without its own ideas of signals: the supervisor's word ends it."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # noqa: ANN201  # uvicorn's name and type
        """Leave the signals alone."""
        yield


@contextlib.asynccontextmanager
async def serve(app: ASGIApp, sock: socket.socket) -> AsyncIterator[None]:
    """Serve `app` on a listening socket for the length of the block."""
    server = Server(
        uvicorn.Config(
            app,
            http="h11",  # the stricter of the two
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
