"""Engines: the two databases that a store may be in, each set up as a store needs it.

SQLite: WAL with synchronous=FULL, so that what was committed is on the disk and readers never
wait for a writer. Transactions begin when SQLAlchemy says so, not when sqlite3 thinks so.
PostgreSQL: nothing is waited for without end, neither a server nor a lock.
"""

from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text

from proxy.store.tables import WRITING

BUSY = 5.0  # seconds to wait for another process's write
PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")

POSTGRESQL = "postgresql"
CONNECTIONS = 8  # at most
WAITS = {  # libpq's names; what an address says itself goes before
    "connect_timeout": "3",  # seconds
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",  # milliseconds that a sent byte may go unanswered
    "application_name": "turnout",
}
LIMITS = ("SET statement_timeout = '20s'", "SET lock_timeout = '10s'")
TELL = text("NOTIFY turnout")  # heard once the transaction it is said in is committed
SETTLED = text("LOCK TABLE versions IN SHARE MODE")
LOCK = text("SELECT pg_advisory_xact_lock(7046029254386353131)")  # any number, but always this one


class Place(Struct, frozen=True, kw_only=True):
    """A database that is to be a store, and what to say of it where it can't."""

    engine: Engine
    name: str
    what: str
    remedy: str


def sqlite(path: Path) -> Place:
    """Return the database in a file; nothing is opened yet."""
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args={"timeout": BUSY})
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    remedy = "let the user that turnout runs as write there, or name another data directory"
    return Place(engine=engine, name=str(path), what="data directory", remedy=remedy)


def postgresql(address: str) -> Place:
    """Return the database at a postgresql:// address; nothing is connected to yet."""
    url = make_url(address).set(drivername="postgresql+psycopg")
    engine = create_engine(
        url,
        connect_args={name: value for name, value in WAITS.items() if name not in url.query},
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=BUSY,
        pool_pre_ping=True,
    )
    event.listen(engine, "connect", _limit)
    place = f"{url.database or 'database'} at {url.host or url.query.get('host', 'this host')}"
    return Place(
        engine=engine,
        name=f"in PostgreSQL, {place}",
        what="database in store.url",
        remedy="start that server, or correct store.url",
    )


def alone(connection: Connection) -> None:
    """Wait until no other host writes what must be in one order; until the transaction's end.

    SQLite lets in one writer only when its transaction begins.
    """
    if connection.dialect.name == POSTGRESQL:
        connection.execute(LOCK)


def settled(connection: Connection) -> None:
    """Wait until nobody is about to add a version; until the transaction's end nobody does.

    SQLite lets in one writer only when its transaction begins.
    """
    if connection.dialect.name == POSTGRESQL:
        connection.execute(SETTLED)


def tell(connection: Connection) -> None:
    """Let all hosts that share the store hear of this transaction once it is committed."""
    if connection.dialect.name == POSTGRESQL:
        connection.execute(TELL)


def _set_up(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # leave transactions to _begin
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # What will write takes the lock first: a reader that turns writer may be refused at once.
    writes = connection.get_execution_options().keys() & WRITING
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _limit(connection: Any, _record: object) -> None:
    for limit in LIMITS:
        connection.execute(limit)
    connection.commit()
