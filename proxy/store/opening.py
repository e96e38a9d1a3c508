"""Opening the store: SQLite set up so that what was appended is there after any crash.

WAL with synchronous=FULL: a version is on the disk before its append returns, and readers never
wait for a writer. Transactions begin when SQLAlchemy says so, not when sqlite3 thinks so, so
that a migration is in one, whole. Here is all that is SQLite's own.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from proxy.errors import StartError
from proxy.store.migrations import NEWEST
from proxy.store.store import AUDIT_KEPT, Store, reason
from proxy.store.tables import WRITING

BUSY = 5.0  # seconds to wait for another process's write
NEWEST_STEP = text("SELECT version_num FROM alembic_version")
PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")


def open_store(path: Path, *, audit_kept: int = AUDIT_KEPT) -> Store:
    """Return the store in the file `path`, made or brought up to date where need be.

    The newest `audit_kept` entries of the audit log are kept. StartError: the file can't be
    opened or written, is no database, or was written by a newer turnout.
    """
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args={"timeout": BUSY})
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    with ExitStack() as otherwise:
        otherwise.callback(engine.dispose)
        try:
            known = _of_today(engine) or _migrate(engine)
        except SQLAlchemyError as error:
            raise StartError(
                f"the store {path} can't be opened: {reason(error)}; let the user that turnout "
                "runs as write there, or name another data directory"
            ) from error
        if not known:
            raise StartError(
                f"the store {path} was written by a newer turnout; run that version, or name "
                "another data directory"
            )
        otherwise.pop_all()
    return Store(engine, audit_kept=audit_kept)


def _of_today(engine: Engine) -> bool:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return bool(connection.scalar(NEWEST_STEP) == NEWEST)


def _migrate(engine: Engine) -> bool:
    from proxy.store.migrating import migrate  # noqa: PLC0415  # alembic: most starts need none

    with engine.execution_options(**WRITING).begin() as connection:
        return migrate(connection)


def _set_up(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # leave transactions to _begin
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # What will write takes the lock first: a reader that turns writer may be refused at once.
    writes = connection.get_execution_options().keys() & WRITING
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
