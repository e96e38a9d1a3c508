"""History: the kept versions and the audit log, as the publisher asks for them.

The store blocks, so it is called in threads; that only one call runs at a time is the caller's
care. It decides nothing.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

import structlog
from msgspec.structs import asdict

from proxy.controlplane.publishing.change import Unavailable, Unknown
from proxy.errors import Conflict, Missing, StoreError, Unsure
from proxy.rollout import AuditEntry, Version, rollback_target

PAGE = 50  # versions read at once
T = TypeVar("T")


class Versions(Protocol):
    """Where versions and the audit log are kept; StoreError where that can't be done."""

    def append(self, version: Version) -> None:
        """Keep `version` for good, before returning; an error but Unsure: it is not kept."""
        ...

    def holds(self, version: Version) -> bool:
        """Return whether `version` is kept, once no write of it is under way any more."""
        ...

    def version(self, number: int) -> Version | None:
        """Return the version of this number; None: there is none."""
        ...

    def latest(self) -> Version | None:
        """Return the last version; None: there is none yet."""
        ...

    def latest_from_file(self) -> Version | None:
        """Return the last version that came from a file; None: there is none yet."""
        ...

    def from_file(self, digest: str) -> Version | None:
        """Return the last version of this digest that came from a file; None: there is none."""
        ...

    def revision(self) -> int | None:
        """Return the largest revision that a file ever had; None: none had one."""
        ...

    def note_revision(self, revision: int) -> None:
        """Keep the revision of a file that was no change."""
        ...

    def versions(self, limit: int = PAGE, before: int | None = None) -> Sequence[Version]:
        """Return the last versions, or the last ones before a number, newest first."""
        ...

    def record(self, entry: AuditEntry) -> None:
        """Keep an entry of the audit log."""
        ...

    def audit(self, limit: int = 100, before: int | None = None) -> Sequence[AuditEntry]:
        """Return the last entries of the audit log, newest first."""
        ...

    def recorded(self, number: int) -> bool:
        """Return whether an entry of the audit log names the version of this number."""
        ...


class History:
    """The store, off the event loop."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions

    async def append(self, version: Version) -> None:
        """Keep `version`; Unavailable, Conflict: it is not kept; Unknown: perhaps it is."""
        try:
            await asyncio.to_thread(self._versions.append, version)
        except Conflict:
            raise
        except Unsure as error:
            raise Unknown(
                f"whether it was kept is not known: {error}; if it was, it gets in force once the "
                "store answers (turnout status tells)"
            ) from error
        except StoreError as error:
            raise Unavailable(f"it can't be kept, so nothing was changed: {error}") from error

    async def holds(self, version: Version) -> bool:
        """Return whether `version` is kept."""
        return await _read(lambda: self._versions.holds(version))

    async def latest(self) -> Version | None:
        """Return the last version; None: there is none yet."""
        return await _read(self._versions.latest)

    async def ends(self) -> tuple[Version | None, Version | None]:
        """Return the last version, and the last that came from a file; None: there is none yet."""
        return await _read(self._versions.latest), await _read(self._versions.latest_from_file)

    async def revision(self) -> int | None:
        """Return the largest revision that a file ever had; None: none had one."""
        return await _read(self._versions.revision)

    async def note_revision(self, revision: int) -> None:
        """Keep the revision of a file that was no change; where that can't be, the log has it."""
        try:
            await asyncio.to_thread(self._versions.note_revision, revision)
        except StoreError as error:
            structlog.get_logger().error(
                "revision of the file could not be kept", revision=revision, reason=str(error)
            )

    async def was_from_file(self, digest: str) -> bool:
        """Return whether a file has said what this is the digest of."""
        return await _read(lambda: self._versions.from_file(digest)) is not None

    async def last_ones(self) -> Sequence[Version]:
        """Return the last versions, newest first."""
        return await _read(self._versions.versions)

    async def version(self, number: int) -> Version:
        """Return a version; Missing: there is none of this number."""
        found = await _read(lambda: self._versions.version(number))
        if found is None:
            raise Missing(f"there is no version {number}; turnout versions lists them")
        return found

    async def since(self, number: int) -> tuple[Version, ...]:
        """Return the versions after `number`, the last ones if there are many, newest first."""
        newest = await _read(self._versions.versions)
        return tuple(version for version in newest if version.number > number)

    async def target(self, route: str | None) -> Version:
        """Return the version that a rollback goes back to, or raise ChangeError."""
        return await _read(lambda: rollback_target(self._newest_first(), route))

    async def record(self, entry: AuditEntry) -> None:
        """Keep an entry of the audit log; where that can't be, the log has it."""
        try:
            await asyncio.to_thread(self._versions.record, entry)
        except StoreError as error:
            structlog.get_logger().error(
                "audit entry could not be kept", reason=str(error), **told(entry)
            )

    async def recorded(self, number: int) -> bool:
        """Return whether an entry of the audit log names the version of this number."""
        return await _read(lambda: self._versions.recorded(number))

    def _newest_first(self) -> Iterator[Version]:
        before: int | None = None
        while page := self._versions.versions(PAGE, before):
            yield from page
            before = page[-1].number


async def _read(look: Callable[[], T]) -> T:
    """Return what `look` finds; Unavailable: the store can't be read."""
    try:
        return await asyncio.to_thread(look)
    except StoreError as error:
        raise Unavailable(f"what was published before can't be read: {error}") from error


def told(entry: AuditEntry) -> dict[str, object]:
    """Return an entry as fields of a log line."""
    return {name: value for name, value in asdict(entry).items() if name != "number"}
