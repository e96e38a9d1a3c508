"""Publishing with a real file, versions in memory, and workers that are a list.

house = House(tmp_path, TWO_VARIANTS)
await house.open()
published = await house.publisher.publish(...)
assert house.pushed[-1].table.version == published.version.number
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from proxy.config.settings import DataPlane, Origin, Settings
from proxy.controlplane.hosts.company import Company
from proxy.controlplane.publishing import Caller, Published, Pushed
from proxy.controlplane.publishing.beginning import begin, first
from proxy.controlplane.publishing.configuration.reading import Reading
from proxy.controlplane.publishing.configuration.standing import Standing
from proxy.controlplane.publishing.history import History
from proxy.controlplane.publishing.publisher import Publisher
from proxy.errors import Conflict, StoreError
from proxy.rollout import AuditEntry, Contents, Source, Version
from proxy.rollout.changes import split

NOON = 1_800_000_000.0
ANN = Caller(name="ann", origin="127.0.0.1")
FILE = """\
upstreams:
  one: {base_url: http://127.0.0.1:1/v1}
  two: {base_url: http://127.0.0.1:2/v1}
routes:
  support:
    variants:
      base: {upstream: one}
      ft-v2: {upstream: two, model: lora}
    split: {base: 100}
"""


class MemoryVersions:
    """Versions and audit log in lists; while it is `broken` nothing goes."""

    def __init__(self) -> None:
        self.kept: list[Version] = []
        self.entries: list[AuditEntry] = []
        self.revisions: list[int] = []
        self.broken = False
        self.before_append: Callable[[], None] = lambda: None
        self.after_append: Callable[[], None] = lambda: None

    def append(self, version: Version) -> None:
        self._look()
        self.before_append()
        if version.number != len(self.kept) + 1:
            raise Conflict(f"version {version.number} is there already")
        self.kept.append(version)
        self.after_append()

    def holds(self, version: Version) -> bool:
        self._look()
        return version in self.kept

    def version(self, number: int) -> Version | None:
        self._look()
        return next((each for each in self.kept if each.number == number), None)

    def latest(self) -> Version | None:
        self._look()
        return self.kept[-1] if self.kept else None

    def latest_from_file(self) -> Version | None:
        self._look()
        return next((each for each in self.kept[::-1] if each.source is Source.FILE), None)

    def from_file(self, digest: str) -> Version | None:
        self._look()
        found = [each for each in self.kept if each.source is Source.FILE]
        return next((each for each in found if each.digest == digest), None)

    def revision(self) -> int | None:
        self._look()
        published = [each.revision for each in self.kept if each.revision is not None]
        return max([*published, *self.revisions], default=None)

    def note_revision(self, revision: int) -> None:
        self._look()
        self.revisions.append(revision)

    def versions(self, limit: int = 50, before: int | None = None) -> Sequence[Version]:
        self._look()
        return [each for each in self.kept[::-1] if before is None or each.number < before][:limit]

    def record(self, entry: AuditEntry) -> None:
        self._look()
        self.entries.append(msgspec.structs.replace(entry, number=len(self.entries) + 1))

    def audit(self, limit: int = 100, before: int | None = None) -> Sequence[AuditEntry]:
        self._look()
        found = [each for each in self.entries if before is None or (each.number or 0) < before]
        return found[::-1][:limit]

    def recorded(self, number: int) -> bool:
        self._look()
        return any(entry.version == number for entry in self.entries)

    def _look(self) -> None:
        if self.broken:
            raise StoreError("the disk is full")


class House:
    """Publishing on a file in `folder`; `again` is what a restart of control makes of it."""

    def __init__(
        self, folder: Path, text: str = FILE, origin: Origin | None = None, **given: Any
    ) -> None:
        self.folder = folder
        self.file = folder / "turnout.yaml"
        self.data = folder / "turnout-data"
        self.data.mkdir(exist_ok=True)
        self.kept = self.data / "last-good.yaml"
        self.write(text)
        self.environ: dict[str, str] = {}
        self.origin = origin or Origin(file=str(self.file), given=given)
        self.versions = MemoryVersions()
        self.pushed: list[DataPlane] = []
        self.adopted: list[Settings] = []
        self.late: tuple[int, ...] = ()
        self.now = NOON
        self.company = Company("here", lambda: self.now)
        self._launched: Settings | None = None

    def write(self, text: str) -> None:
        self.file.write_text(text, encoding="utf-8")

    async def open(self) -> "House":
        """Begin, as a control process does; the first time, as all of turnout does."""
        self.reading = Reading(self.origin, self.environ, str(self.data))
        found = first(self.reading)
        launched = self._launched = self._launched or found.declared.settings(0)
        history = History(self.versions)
        beginning = await begin(found, self.reading, history, launched, self.now)
        self.standing = Standing(self.reading.name)
        self.publisher = Publisher(
            beginning,
            history=history,
            reading=self.reading,
            standing=self.standing,
            launched=launched,
            push=self._push,
            others=self.company,
            adopt=self.adopted.append,
            clock=lambda: self.now,
            wall=lambda: self.now,
        )
        await self.publisher.open()
        return self

    async def again(self) -> "House":
        """Begin once more, on all of what was kept, as after a restart of everything."""
        await self.publisher.close()
        self._launched = None
        return await self.open()

    async def split(self, **weights: float) -> Published:
        """Publish a split of the route, as Ann."""
        return await self.publish(lambda contents: split(contents, "support", weights))

    async def publish(self, change: Callable[[Contents], Contents], **more: Any) -> Published:
        """Publish a change, as Ann."""
        asked: dict[str, Any] = {"why": "a try", "source": Source.CLI, "action": "split", **more}
        return await self.publisher.publish(change, caller=ANN, target="support", **asked)

    def weights(self) -> tuple[float, ...]:
        """Return the route's weights as last pushed."""
        return self.pushed[-1].table.routes["support"].weights

    async def _push(self, data_plane: DataPlane) -> Pushed:
        self.pushed.append(data_plane)
        self.now += 0.002
        return Pushed(workers=2 - len(self.late), of=2, milliseconds=2.0, late=self.late)
