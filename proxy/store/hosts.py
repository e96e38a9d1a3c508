"""Hosts: who shares a PostgreSQL store, as each tells of itself, and news between them.

How long ago a host told something is by the database's clock, for hosts' own may differ. Who was
silent for a day is forgotten. News is a word that all who listen hear at once: somebody published,
or has another version in force. Nobody may depend on it: a line can die without a sound.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import psycopg
from msgspec import structs
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from proxy.errors import StoreError
from proxy.rollout.spread import Host
from proxy.store.engines import TELL, WAITS
from proxy.store.store import told
from proxy.store.tables import HOSTS

FORGOTTEN_SECONDS = 86_400.0
LISTEN_SECONDS = 10.0  # for the server to say that we are listened to
NOW = func.extract("epoch", func.clock_timestamp())
ROW = HOSTS.c
TIMES = {"unseen"}  # of a host, by whoever reads


class Hosts:
    """The hosts in the database that `engine` reaches; all but `news` blocks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._told: tuple[int, int] | None = None  # by us: of our name there may be another

    def report(self, host: Host) -> list[Host]:
        """Write down what a host tells of itself; return all as they were before, by name.

        StoreError: it can't be.
        """
        with told("written"), self._engine.begin() as connection:
            found = connection.execute(
                select(HOSTS, (NOW - ROW.seen_at).label("unseen")).order_by(ROW.name)
            )
            before = [_host(dict(row)) for row in found.mappings()]
            said: dict[str, Any] = {
                name: value for name, value in structs.asdict(host).items() if name not in TIMES
            }
            row = insert(HOSTS).values(**said, seen_at=NOW)
            new = {name: row.excluded[name] for name in (*said, "seen_at") if name != "name"}
            connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=new))
            if any(each.unseen > FORGOTTEN_SECONDS for each in before):
                old = ROW.seen_at < NOW - FORGOTTEN_SECONDS
                connection.execute(delete(HOSTS).where(old))
            news = host.version, host.in_force
            if news != self._told:
                connection.execute(TELL)
        self._told = news
        return [each for each in before if each.unseen <= FORGOTTEN_SECONDS]

    def leave(self, host: Host) -> None:
        """Forget a host that ends, unless another one has its name by now."""
        with told("written"), self._engine.begin() as connection:
            own = (ROW.name == host.name) & (ROW.started_at == host.started_at)
            connection.execute(delete(HOSTS).where(own))

    async def news(self) -> AsyncGenerator[None, None]:
        """Yield once it listens, and then at all news; StoreError: it does not any more."""
        said = self._engine.dialect.create_connect_args(self._engine.url)[1]
        try:
            line = await psycopg.AsyncConnection.connect(**{**WAITS, **said}, autocommit=True)
            async with line:
                async with asyncio.timeout(LISTEN_SECONDS):
                    await line.execute("LISTEN turnout")
                yield
                async for _ in line.notifies():
                    yield
        except (psycopg.Error, TimeoutError) as error:
            raise StoreError(f"the store can't be listened to: {error}") from error


def _host(row: dict[str, Any]) -> Host:
    del row["seen_at"]
    return Host(**row | {"unseen": max(0.0, float(row["unseen"]))})
