"""Opening the store: SQLite in a file, or PostgreSQL at an address; brought up to date either way.

What is either database's own stands in `engines`. A migration is in one transaction, whole, and
where several hosts open a database at once, one of them migrates and the others wait.
"""

from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from proxy.errors import StartError
from proxy.store.engines import Place, alone, postgresql, sqlite
from proxy.store.migrations import NEWEST
from proxy.store.store import AUDIT_KEPT, Store, reason
from proxy.store.tables import WRITING

NEWEST_STEP = text("SELECT version_num FROM alembic_version")


def open_store(place: Path | str, *, audit_kept: int = AUDIT_KEPT) -> Store:
    """Return the store in the file or at the URL `place`, made or brought up to date if need be.

    The newest `audit_kept` entries of the audit log are kept. StartError: it can't be opened or
    written, is no database, or was written by a newer turnout.
    """
    there = sqlite(place) if isinstance(place, Path) else postgresql(place)
    with ExitStack() as otherwise:
        otherwise.callback(there.engine.dispose)
        _prepare(there)
        otherwise.pop_all()
    return Store(there.engine, audit_kept=audit_kept)


def _prepare(there: Place) -> None:
    try:
        known = _of_today(there.engine) or _migrate(there.engine)
    except SQLAlchemyError as error:
        raise StartError(
            f"the store {there.name} can't be opened: {reason(error)}; {there.remedy}"
        ) from error
    if not known:
        raise StartError(
            f"the store {there.name} was written by a newer turnout; run that version, or name "
            f"another {there.what}"
        )


def _of_today(engine: Engine) -> bool:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return bool(connection.scalar(NEWEST_STEP) == NEWEST)


def _migrate(engine: Engine) -> bool:
    from proxy.store.migrating import migrate  # noqa: PLC0415  # alembic: most starts need none

    with engine.execution_options(**WRITING).begin() as connection:
        alone(connection)
        return migrate(connection)
