"""Looking at exchanges on record: a page of them by what they are, and one with its whole story.

A store that hangs keeps few threads busy and nobody waiting for long.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Protocol, TypeVar

from fastapi import Path, Query
from pydantic import AwareDatetime

from proxy.alerting import AlertName
from proxy.controlplane.admin import models
from proxy.controlplane.admin.entrance.refusals import Refused
from proxy.controlplane.admin.models.forms import Name
from proxy.controlplane.admin.record import views
from proxy.controlplane.admin.views import line
from proxy.exchange import Outcome
from proxy.rollout import Version
from proxy.store.observations import Kept, KeptBodies, Wanted

ANSWER_SECONDS = 10.0  # for the store to say what it has
THREADS = 4  # that may be busy with it
MOST = 500  # exchanges of a page

MOST_ID = 200  # characters
OFF = "No requests are on record: the configuration says `store: off`."
UNKNOWN = "No such request is on record: it was never here, has not come yet, or was forgotten."
SILENT = "The store does not answer at present; turnout's log says more."

Answer = TypeVar("Answer")
Text = Annotated[Name | None, Query()]
At = Annotated[AwareDatetime | None, Query(description="When an exchange began, with its zone.")]
Place = Annotated[int | None, Query(ge=0, le=2**53)]


class Observations(Protocol):
    """Where exchanges are on record; its methods block."""

    def find(
        self, wanted: Wanted, limit: int, *, before: int | None = None, after: int | None = None
    ) -> Sequence[Kept]:
        """Return what is wanted, the newest first; after a number, the oldest first."""
        ...

    def one(self, request_id: str) -> Kept | None:
        """Return the observation of a request; None: there is none."""
        ...

    def shadows(self, request_id: str) -> Sequence[Kept]:
        """Return the shadows of a request."""
        ...

    def bodies(self, request_id: str) -> KeptBodies | None:
        """Return the bodies of a request; None: none were kept."""
        ...

    def forget(self, request_id: str) -> bool:
        """Take out what was said in a request; return whether there is one."""
        ...


class Versions(Protocol):
    """Where versions are kept; called in threads."""

    def version(self, number: int) -> Version | None:
        """Return the version of this number."""
        ...


class Looking:
    """Answers what readers ask of exchanges; `observations` of None: the store is off."""

    def __init__(
        self,
        observations: Observations | None,
        versions: Versions,
        in_force: Callable[[], int],
        *,
        seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._observations = observations
        self._versions = versions
        self._in_force = in_force
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="looking")

    async def exchanges(
        self,
        *,
        route: Text = None,
        variant: Text = None,
        outcome: Annotated[Outcome | None, Query()] = None,
        alert: Annotated[Text, Query(description="A rule's name, or `any`.")] = None,
        key: Annotated[Text, Query(description="The client key's name.")] = None,
        slower_than_ms: Annotated[float | None, Query(ge=0, allow_inf_nan=False)] = None,
        since: At = None,
        until: At = None,
        limit: Annotated[int, Query(ge=1, le=MOST, description="How many at most.")] = 50,
        before: Annotated[Place, Query(description="Only those before this number.")] = None,
        after: Annotated[Place, Query(description="Only those after it, oldest first.")] = None,
    ) -> models.ExchangeRecords:
        """Return exchanges on record, the newest first."""
        if since and until and since >= until:
            raise Refused(400, "`since` must be before `until`.")
        if alert not in {None, "any", *AlertName}:
            raise Refused(400, f"`alert` is {', '.join(AlertName)} or any.")
        wanted = Wanted(
            route=route,
            variant=variant,
            outcome=outcome,
            alert=alert,
            key=key,
            slower_than=slower_than_ms,
            since=since.timestamp() if since else None,
            until=until.timestamp() if until else None,
        )
        kept = self.kept()
        found = await self.ask(lambda: kept.find(wanted, limit, before=before, after=after))
        return models.ExchangeRecords(
            exchanges=[views.line(each) for each in found],
            before=found[-1].number if len(found) == limit and after is None else None,
        )

    async def exchange(self, request_id: Annotated[str, Path(max_length=MOST_ID)]) -> models.Story:
        """Return one exchange with its whole story."""
        kept = self.kept()
        return await self.ask(lambda: self._story(kept, request_id))

    def _story(self, kept: Observations, request_id: str) -> models.Story:
        found = kept.one(request_id)
        if found is None:
            raise Refused(404, UNKNOWN)
        seen = found.observation
        version = self._versions.version(seen.table_version)
        repeated = seen.shadow_of and kept.one(seen.shadow_of)
        bodies = kept.bodies(request_id)
        return models.Story(
            exchange=views.line(found),
            bodies=views.sizes(bodies) if bodies else None,
            decided_by=line(version, self._in_force()) if version else None,
            repeats=views.line(repeated) if repeated else None,
            shadows=[views.line(each) for each in kept.shadows(request_id)],
        )

    def kept(self) -> Observations:
        """Return where exchanges are on record, or raise Refused."""
        if self._observations is None:
            raise Refused(409, OFF)
        return self._observations

    async def ask(self, what: Callable[[], Answer]) -> Answer:
        """Return what the store answers, asked in a thread; Refused: nobody would wait so long."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._seconds):
                return await loop.run_in_executor(self._threads, what)
        except TimeoutError:
            raise Refused(503, SILENT) from None
