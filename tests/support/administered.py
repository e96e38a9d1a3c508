"""Administration, with publishing on a real file, versions in memory, workers that are a list.

    async with administered() as admin:
        answer = await admin.post("/api/v1/routes/support/split", {"weights": {"base": 1}})
        assert admin.entries[-1].result == "done"

`admin.client` has no token; `get` is a reader's, `post`, `put` and `delete` are an admin's.
"""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from starlette.types import ASGIApp

from proxy.alerting import Alert, AlertName, Notice
from proxy.channel import Gauges, Hello, Ledger, UpstreamReport, create_memory
from proxy.config.settings import AdminToken, Settings
from proxy.controlplane.admin.administration import administration
from proxy.controlplane.admin.comparing.answering import Compares
from proxy.controlplane.admin.entrance.tokens import Tokens, digest_of
from proxy.controlplane.admin.lately import Lately
from proxy.controlplane.admin.record.costs import Kept
from proxy.controlplane.admin.record.looking import Observations
from proxy.controlplane.fleet import Fleet
from proxy.controlplane.spending import Spending
from proxy.controlplane.watching.silencing import Silencing
from proxy.controlplane.watching.watching import Watching
from proxy.exchange import Observation, Outcome
from proxy.notifiers import Tried
from proxy.pricing import Budget
from proxy.rollout import AuditEntry
from proxy.rollout.spread import Host
from tests.support.published import NOON, House
from tests.support.watched import quiet

ADMIN = "canary-token-of-an-admin"
READER = "canary-token-of-a-reader"
API_KEY = "canary-key-of-an-upstream"
TOKENS = (
    AdminToken(name="ann", sha256=digest_of(ADMIN.encode()), role="admin"),
    AdminToken(name="rob", sha256=digest_of(READER.encode()), role="reader"),
)
FILE = f"""\
upstreams:
  openai: {{base_url: http://127.0.0.1:1/v1, api_key: {API_KEY}}}
  vllm: {{base_url: http://127.0.0.1:2/v1, headers: {{x-tenant: canary-tenant}}}}
routes:
  support:
    variants:
      base: {{upstream: openai, model: gpt}}
      ft-v2: {{upstream: vllm, model: lora}}
    split: {{base: 90, ft-v2: 10}}
  org/chat:
    variants:
      base: {{upstream: openai}}
"""


class Told:
    """Stands for who is told of alerts: keeps what it is sent, answers as it was told."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.answers: list[Tried] = []

    async def attempt(self, notice: Notice) -> list[Tried]:
        self.notices.append(notice)
        return self.answers


class Administered:
    """The application, and what stands behind it."""

    def __init__(
        self,
        app: ASGIApp,
        client: httpx2.AsyncClient,
        *,
        house: House,
        fleet: Fleet,
        lately: Lately,
        tokens: Tokens,
        told: Told,
        watching: Watching,
        silencing: Silencing,
    ) -> None:
        self.app = app
        self.client = client
        self.house = house
        self.fleet = fleet
        self.lately = lately
        self.tokens = tokens
        self.watching = watching
        self.silencing = silencing
        self.publisher = house.publisher
        self.told = told

    @property
    def entries(self) -> list[AuditEntry]:
        """The audit log but for its first entry: the start."""
        return self.house.versions.entries[1:]

    async def get(self, path: str, token: str = READER) -> httpx2.Response:
        return await self.ask("GET", path, token=token)

    async def post(self, path: str, body: object = None, **headers: str) -> httpx2.Response:
        return await self.ask("POST", path, body, **headers)

    async def put(self, path: str, body: object = None, **headers: str) -> httpx2.Response:
        return await self.ask("PUT", path, body, **headers)

    async def delete(self, path: str, **headers: str) -> httpx2.Response:
        return await self.ask("DELETE", path, **headers)

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = ADMIN,
        **headers: str,
    ) -> httpx2.Response:
        """Send a request; header names have _ for -."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            said["authorization"] = f"Bearer {token}"
        sent: dict[str, Any] = {} if body is None else {"json": body}
        return await self.client.request(method, path, headers=said, **sent)


def alert(variant: str = "base", name: AlertName = AlertName.SLOW) -> Alert:
    """Return an alert of the route `support`."""
    seen = Observation(
        request_id="r",
        started_at=NOON,
        table_version=1,
        outcome=Outcome.COMPLETED,
        route="support",
        variant_assigned=variant,
        variant_served=variant,
    )
    return Alert(name=name, value=9000.0, threshold=5000.0, at=NOON, observation=seen)


def one_host(name: str = "here", **told: Any) -> Host:
    """Return a host on version 1."""
    said: dict[str, Any] = {"version": 1, "workers": 2, "in_force": 2, **told}
    return Host(name=name, started_at=NOON, release="1.0", **said)


def two_workers(memory: int, settings: Settings) -> Fleet:
    """Return two workers that are busy on version 1."""
    table = settings.data_plane.table
    fleet = Fleet(Ledger(memory), table, {"worker": 2, "control": 0})
    for number in (0, 1):
        fleet.joined(Hello(worker=number, pid=70 + number, turnout="1.0", fresh=True))
        fleet.acknowledged(number, 1)
        upstream = UpstreamReport(name="openai", requests=9, ejected=number == 1)
        fleet.reported(number, Gauges(in_flight=2, connections=3, upstreams=(upstream,)))
    return fleet


@asynccontextmanager
async def administered(
    *,
    clock: Callable[[], float] = lambda: NOON,
    names: Sequence[str] = ("admin.internal", "Turnout-Admin.llm"),
    observations: Observations | None = None,
    spent: Kept | None = None,
    budgets: Sequence[Budget] = (),
    compares: Compares | None = None,
    others: Sequence[Host] = (),
) -> AsyncIterator[Administered]:
    """Run administration of two workers on two routes."""
    memory = create_memory(workers=2, slots=1)
    with TemporaryDirectory() as folder:
        house = await House(Path(folder), FILE).open()
        fleet = two_workers(memory, house.publisher.settings)
        tokens = Tokens(house.data, str)
        tokens.adopt(TOKENS)
        lately = Lately(clock)
        silencing, watching = quiet(clock)
        spending = Spending(None, clock)
        spending.adopt(budgets)
        told = Told()
        app = administration(
            names=names,
            tokens=tokens,
            fleet=fleet,
            render=lambda: (b"up 1\n", "text/plain; version=0.0.4; charset=utf-8"),
            publisher=house.publisher,
            hosts=lambda: (one_host(), others),
            history=house.versions,
            observations=observations,
            compares=compares,
            notifiers=told,
            lately=lately,
            watching=watching,
            silencing=silencing,
            spending=spending,
            spent=spent,
            clock=clock,
        )
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8001", trust_env=False
        ) as client:
            yield Administered(
                app,
                client,
                house=house,
                fleet=fleet,
                lately=lately,
                tokens=tokens,
                told=told,
                watching=watching,
                silencing=silencing,
            )
        await house.publisher.close()
    os.close(memory)
