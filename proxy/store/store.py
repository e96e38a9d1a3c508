"""The store: versions that are only ever appended, and an audit log that forgets its oldest.

Its methods block and may be called from any thread. It knows tables and rows, not what a version
means, nor which database this is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import structs
from sqlalchemy import Connection, Engine, Select, Table, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from proxy.errors import Conflict, StoreError, Unsure
from proxy.rollout import AuditEntry, Source, Version
from proxy.store.engines import settled, tell
from proxy.store.tables import AUDIT, REVISIONS, VERSIONS, WRITING

AUDIT_KEPT = 100_000  # entries


class Store:
    """Versions and audit log in the database that `engine` reaches, which has our tables."""

    def __init__(self, engine: Engine, *, audit_kept: int = AUDIT_KEPT) -> None:
        self.engine = engine  # what else is kept in this database goes through it
        self._writer = engine.execution_options(**WRITING)
        self._audit_kept = audit_kept

    def append(self, version: Version) -> None:
        """Keep `version` for good: it is on the disk when this returns.

        Conflict: it does not follow the last one. StoreError: it can't be written. Nothing was
        kept then. Unsure: it may have been kept, or may not.
        """
        asked = False
        try:
            with self._writing() as connection:
                _insert(connection, version)
                tell(connection)
                asked = True  # from here on only the answer to COMMIT is missing
        except StoreError as error:
            if not asked or not self._kept_after_all(version, error):
                raise

    def holds(self, version: Version) -> bool:
        """Return whether `version` is kept, once no write of it is under way any more."""
        query = select(VERSIONS).where(VERSIONS.c.number == version.number)
        with told("read"), self._writer.begin() as connection:
            settled(connection)
            row = connection.execute(query).mappings().first()
            return row is not None and _version(dict(row)) == version

    def version(self, number: int) -> Version | None:
        """Return the version of this number; None: there is none."""
        return self._first(select(VERSIONS).where(VERSIONS.c.number == number))

    def latest(self) -> Version | None:
        """Return the last version; None: there is none."""
        return self._first(_newest_first(VERSIONS, 1))

    def latest_from_file(self) -> Version | None:
        """Return the last version whose source was a file; None: there is none."""
        return self._first(_newest_first(VERSIONS, 1).where(VERSIONS.c.source == Source.FILE))

    def from_file(self, digest: str) -> Version | None:
        """Return the last version with these contents whose source was a file; None: no such."""
        from_file = (VERSIONS.c.source == Source.FILE) & (VERSIONS.c.digest == digest)
        return self._first(_newest_first(VERSIONS, 1).where(from_file))

    def revision(self) -> int | None:
        """Return the largest revision that a file ever had; None: none had one."""
        noted = select(func.max(REVISIONS.c.revision).label("revision"))
        published = select(func.max(VERSIONS.c.revision).label("revision"))
        found = [row["revision"] for query in (noted, published) for row in self._rows(query)]
        return max((each for each in found if each is not None), default=None)

    def note_revision(self, revision: int) -> None:
        """Keep the revision of a file that was no change; others may have kept it, too."""
        try:
            with self._writing() as connection:
                connection.execute(REVISIONS.insert().values(revision=revision))
        except StoreError as error:
            if not isinstance(error.__cause__, IntegrityError):
                raise

    def versions(self, limit: int = 50, before: int | None = None) -> list[Version]:
        """Return the last versions, or the last ones before the number, newest first."""
        return [_version(row) for row in self._rows(_newest_first(VERSIONS, limit, before))]

    def record(self, entry: AuditEntry) -> None:
        """Keep an entry of the audit log under the next number; forget the oldest ones."""
        row = structs.asdict(entry)
        del row["number"]
        with self._writing() as connection:
            added = connection.execute(AUDIT.insert().values(row)).inserted_primary_key
            number = added[0] if added else 0
            connection.execute(AUDIT.delete().where(AUDIT.c.number <= number - self._audit_kept))

    def audit(self, limit: int = 100, before: int | None = None) -> list[AuditEntry]:
        """Return the last entries, or the last ones before the number, newest first."""
        return [AuditEntry(**row) for row in self._rows(_newest_first(AUDIT, limit, before))]

    def recorded(self, number: int) -> bool:
        """Return whether an entry of the audit log names the version of this number."""
        return bool(self._rows(select(AUDIT.c.number).where(AUDIT.c.version == number).limit(1)))

    def close(self) -> None:
        """Close the database; the store can't be used after it."""
        self.engine.dispose()

    def _kept_after_all(self, version: Version, error: StoreError) -> bool:
        try:
            return self.holds(version)
        except StoreError:
            raise Unsure(str(error)) from error

    def _first(self, query: Select[Any]) -> Version | None:
        return next((_version(row) for row in self._rows(query)), None)

    def _rows(self, query: Select[Any]) -> list[dict[str, Any]]:
        with told("read"), self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with told("written"), self._writer.begin() as connection:
            yield connection


def reason(error: SQLAlchemyError) -> str:
    """Return what the database itself said, without the statement and its values."""
    return str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turn what the database says in the block into a StoreError: it can't be `what`."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(f"the store can't be {what}: {reason(error)}") from error


def _insert(connection: Connection, version: Version) -> None:
    try:
        connection.execute(VERSIONS.insert().values(structs.asdict(version)))
    except IntegrityError as error:
        raise Conflict(f"version {version.number} does not follow the last one") from error


def _newest_first(table: Table, limit: int, before: int | None = None) -> Select[Any]:
    query = select(table).order_by(table.c.number.desc()).limit(limit)
    return query if before is None else query.where(table.c.number < before)


def _version(row: dict[str, Any]) -> Version:
    return Version(**row | {"source": Source(row["source"])})
