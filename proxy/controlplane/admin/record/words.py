"""Words: what was asked and answered, where it is kept: shown to admins, and taken out for them.

Either is written down: who did it, and of which request.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import Path
from starlette.requests import Request

from proxy.controlplane.admin import models
from proxy.controlplane.admin.audit import Records, done
from proxy.controlplane.admin.changing import Because
from proxy.controlplane.admin.entrance.refusals import Refused
from proxy.controlplane.admin.record.looking import MOST_ID, UNKNOWN, Looking
from proxy.controlplane.admin.record.views import bodies

NONE_KEPT = (
    "No bodies of this request are kept: its route does not say so, it was not one of the sample, "
    "or they were forgotten."
)
RequestId = Annotated[str, Path(max_length=MOST_ID)]


class Words:
    """Answers what admins ask of bodies; `clock` is seconds since the epoch."""

    def __init__(self, looking: Looking, records: Records, clock: Callable[[], float]) -> None:
        self._looking = looking
        self._records = records
        self._clock = clock

    async def bodies(self, request_id: RequestId, request: Request) -> models.Bodies:
        """Return what was asked and answered, as far as it is kept."""
        kept = self._looking.kept()
        found = await self._looking.ask(lambda: kept.bodies(request_id))
        if found is None:
            raise Refused(404, NONE_KEPT)
        await self._done(request, request_id, "")
        return bodies(request_id, found)

    async def forget(
        self, request_id: RequestId, request: Request, why: Because = ""
    ) -> models.Forgotten:
        """Take out what was said in a request and its shadows: bodies and previews."""
        kept = self._looking.kept()
        if not await self._looking.ask(lambda: kept.forget(request_id)):
            raise Refused(404, UNKNOWN)
        await self._done(request, request_id, why)
        return models.Forgotten(request_id=request_id)

    async def _done(self, request: Request, request_id: str, why: str) -> None:
        await self._records.record(done(request, self._clock(), request_id, why=why))
