"""Administration with publishing and store in memory, as an ASGI application to talk to.

    async with administered() as admin:
        answer = await admin.post("/api/v1/routes/support/split", {"weights": {"base": 1}})
        assert admin.store.entries[-1].result == "done"

`admin.client` has no token; `get`, `post`, `put` and `delete` are an admin's.
"""

import os
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from proxy.alerting import Alert, AlertName
from proxy.channel import Gauges, Hello, Ledger, UpstreamReport, create_memory
from proxy.config.settings import AdminToken
from proxy.controlplane.admin.administration import administration
from proxy.controlplane.admin.entrance.tokens import Tokens, digest_of
from proxy.controlplane.admin.lately import Lately
from proxy.controlplane.fleet import Fleet
from proxy.controlplane.publishing.change import (
    Caller,
    Misfit,
    Published,
    Reloaded,
    Stale,
    Unavailable,
)
from proxy.errors import ChangeError, StoreError
from proxy.exchange import Observation, Outcome
from proxy.rollout import (
    AuditEntry,
    Contents,
    Source,
    Version,
    canonical,
    contents_of,
    digest,
    rollback_target,
)
from proxy.rollout.changes import restore
from proxy.routing.table import Route, RoutingTable, Shadow, Variant

ADMIN = "canary-token-of-an-admin"
READER = "canary-token-of-a-reader"
TOKENS = (
    AdminToken(name="ann", sha256=digest_of(ADMIN.encode()), role="admin"),
    AdminToken(name="rob", sha256=digest_of(READER.encode()), role="reader"),
)
CONTENTS: Contents = {
    "default_upstream": None,
    "pass_unknown_models": False,
    "routes": {
        "support": {
            "variants": {
                "base": {"upstream": "openai", "model": "gpt"},
                "ft-v2": {"upstream": "vllm", "model": "lora"},
            },
            "split": {"base": 90.0, "ft-v2": 10.0},
        },
        "org/chat": {"variants": {"base": {"upstream": "openai"}}},
    },
}
NOON = 1_800_000_000.0


class MemoryStore:
    """Versions and audit log in lists; `broken` makes it fail."""

    def __init__(self) -> None:
        self.kept: list[Version] = []
        self.entries: list[AuditEntry] = []
        self.broken = False
        self.threads: set[int] = set()

    def append(self, version: Version) -> None:
        self.kept.append(version)

    def version(self, number: int) -> Version | None:
        self._look()
        return next((each for each in self.kept if each.number == number), None)

    def versions(self, limit: int = 50, before: int | None = None) -> Sequence[Version]:
        self._look()
        found = [each for each in self.kept if before is None or each.number < before]
        return found[::-1][:limit]

    def record(self, entry: AuditEntry) -> None:
        self._look()
        self.entries.append(msgspec.structs.replace(entry, number=len(self.entries) + 1))

    def audit(self, limit: int = 100, before: int | None = None) -> Sequence[AuditEntry]:
        self._look()
        found = [each for each in self.entries if before is None or (each.number or 0) < before]
        return found[::-1][:limit]

    def _look(self) -> None:
        self.threads.add(threading.get_ident())
        if self.broken:
            raise StoreError("the disk is full, says canary")


class MemoryStanding:
    """What readings of the file came to."""

    def __init__(self) -> None:
        self.last: Reloaded | None = None
        self.degraded: Sequence[str] = ()


class MemoryPublisher:
    """Puts changes in force by keeping them; two workers acknowledge at once."""

    def __init__(self, store: MemoryStore, contents: Contents) -> None:
        self._store = store
        self.standing = MemoryStanding()
        self.late: tuple[int, ...] = ()
        self.held = ""
        self.asked: list[tuple[str, str, Source]] = []
        self.current = self._keep(contents, source=Source.FILE, who="file", why="", parent=None)

    async def publish(
        self,
        change: Callable[[Contents], Contents],
        *,
        caller: Caller,
        why: str,
        source: Source,
        base: int | None = None,
        action: str,
        target: str,
    ) -> Published:
        self.asked.append((action, target, source))
        before = self.current
        try:
            if self.held:
                raise Unavailable(self.held)
            if base is not None and base != before.number:
                since = tuple(each for each in self._store.kept[::-1] if each.number > base)
                raise Stale(before, since)
            contents = change(contents_of(before))
            canonical(contents)
            names = {
                v["upstream"] for r in contents["routes"].values() for v in r["variants"].values()
            }
            if names - {"openai", "vllm"}:
                raise Misfit("this can't be served", ("routes.x: there is no such upstream",))
        except ChangeError as error:
            self._note(caller, action, target, why, "refused", detail=str(error))
            raise
        changed = digest(contents) != before.digest
        if changed:
            self.current = self._keep(
                contents, source=source, who=caller.name, why=why, parent=before.number
            )
        self._note(caller, action, target, why, "done", detail="")
        return Published(
            version=self.current,
            changed=changed,
            workers=2,
            of=2,
            milliseconds=1.5,
            late=self.late,
        )

    async def rollback(
        self,
        route: str | None,
        to: int | None,
        *,
        caller: Caller,
        why: str,
        base: int | None = None,
    ) -> Published:
        def change(contents: Contents) -> Contents:
            if to is None:
                earlier = rollback_target(self._store.kept[::-1], route)
            else:
                found = self._store.version(to)
                if found is None:
                    raise ChangeError(f"there is no version {to}")
                earlier = found
            return restore(contents, contents_of(earlier), route)

        return await self.publish(
            change,
            caller=caller,
            why=why,
            source=Source.ROLLBACK,
            base=base,
            action="rollback",
            target=route or "",
        )

    async def reload(self, caller: Caller) -> Reloaded:
        self._note(caller, "reload", "", "", "done", detail="")
        self.standing.last = Reloaded(
            result="rejected",
            version=self.current,
            at=NOON,
            problems=("turnout.yaml:1:1: upstreams is missing",),
            restart_needed=("listen",),
        )
        return self.standing.last

    async def record(self, entry: AuditEntry) -> None:
        with suppress(StoreError):
            self._store.record(entry)

    def _keep(
        self, contents: Contents, *, source: Source, who: str, why: str, parent: int | None
    ) -> Version:
        version = Version(
            number=len(self._store.kept) + 1,
            parent=parent,
            digest=digest(contents),
            contents=canonical(contents),
            source=source,
            who=who,
            why=why,
            at=NOON + len(self._store.kept),
        )
        self._store.append(version)
        return version

    def _note(
        self, caller: Caller, action: str, target: str, why: str, result: Any, *, detail: str
    ) -> None:
        self._store.record(
            AuditEntry(
                at=NOON,
                who=caller.name,
                origin=caller.origin,
                action=action,
                target=target,
                why=why,
                result=result,
                detail=detail,
                version=self.current.number if result == "done" else None,
            )
        )


class Administered:
    """An application, and what stands behind it."""

    def __init__(self, app: Any, client: httpx2.AsyncClient, **behind: Any) -> None:
        self.app = app
        self.client = client
        self.store: MemoryStore = behind["store"]
        self.publisher: MemoryPublisher = behind["publisher"]
        self.lately: Lately = behind["lately"]
        self.fleet: Fleet = behind["fleet"]
        self.tokens: Tokens = behind["tokens"]

    async def get(self, path: str, token: str = READER) -> httpx2.Response:
        return await self.ask("GET", path, token=token)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        return await self.ask("POST", path, body, **headers)

    async def put(self, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        return await self.ask("PUT", path, body, **headers)

    async def delete(self, path: str, **headers: str) -> httpx2.Response:
        return await self.ask("DELETE", path, **headers)

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = ADMIN,
        **headers: str,
    ) -> httpx2.Response:
        """Send a request; header names have _ for -."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            said["authorization"] = f"Bearer {token}"
        sent = {} if body is None else {"json": body}
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


def table() -> RoutingTable:
    """Return the table of CONTENTS."""
    variants = (Variant(name="base", upstream="openai"), Variant(name="ft-v2", upstream="vllm"))
    routes = {
        "support": Route(
            name="support",
            variants=variants,
            weights=(90.0, 10.0),
            shadow=Shadow(variant="ft-v2", percent=5.0),
        ),
        "org/chat": Route(name="org/chat", variants=variants[:1], weights=(1.0,)),
    }
    return RoutingTable(version=1, digest="d", routes=routes)


@asynccontextmanager
async def administered(
    *, clock: Callable[[], float] = lambda: NOON, host: str = "admin.internal"
) -> AsyncIterator[Administered]:
    """Run administration of two workers on two routes."""
    memory = create_memory(workers=2, slots=1)
    fleet = Fleet(Ledger(memory), table(), {"worker": 2, "control": 0})
    for number in (0, 1):
        fleet.joined(Hello(worker=number, pid=70 + number, turnout="1.0", fresh=True))
        fleet.acknowledged(number, 1)
        ups = (UpstreamReport(name="openai", requests=9, ejected=number == 1),)
        fleet.reported(number, Gauges(in_flight=2, connections=3, upstreams=ups))
    store = MemoryStore()
    publisher = MemoryPublisher(store, CONTENTS)
    lately = Lately(clock)
    tokens = Tokens(Path("nowhere"), str)
    tokens.adopt(TOKENS)
    app = administration(
        host=host,
        tokens=tokens,
        fleet=fleet,
        render=lambda: (b"up 1\n", "text/plain; version=0.0.4; charset=utf-8"),
        publisher=publisher,
        history=store,
        lately=lately,
        clock=clock,
    )
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1:8001", trust_env=False
    ) as client:
        yield Administered(
            app,
            client,
            store=store,
            publisher=publisher,
            lately=lately,
            fleet=fleet,
            tokens=tokens,
        )
    os.close(memory)
