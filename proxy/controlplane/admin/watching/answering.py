"""Alerts and silences, asked for: what readers may see, and what admins may silence.

A silence changes no version, so it needs no `If-Match`; it is written down like any change.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Protocol

from fastapi import Path
from msgspec import structs
from starlette.requests import Request

from proxy.alerting import AlertName
from proxy.alerting.silence import Silence
from proxy.alerting.windows import WindowAlert
from proxy.controlplane.admin import views
from proxy.controlplane.admin.audit import Records, done
from proxy.controlplane.admin.changing import Because
from proxy.controlplane.admin.entrance.refusals import Refused
from proxy.controlplane.admin.lately import SECONDS, Lately
from proxy.controlplane.admin.models.forms import Number
from proxy.controlplane.admin.showing import InForce
from proxy.controlplane.admin.watching.models import Alerts, NewSilence, Silences, SilenceState
from proxy.controlplane.publishing.change import Unavailable
from proxy.controlplane.watching.silencing import Silencing
from proxy.controlplane.watching.watching import Watching
from proxy.errors import StoreError

NAMES = (*AlertName, *WindowAlert)
NOTHING_SAID = (
    "Say which alerts: an alert, a route or a variant; or say that it is to be of everything."
)
NumberInPath = Annotated[Number, Path(description="A silence's number.")]


class Publisher(InForce, Records, Protocol):
    """Knows what is in force, and writes down what was done."""


class Alerting:
    """Answers what is asked of alerts; `clock` is seconds since the epoch."""

    def __init__(
        self,
        watching: Watching,
        silencing: Silencing,
        lately: Lately,
        publisher: Publisher,
        clock: Callable[[], float],
    ) -> None:
        self._watching = watching
        self._silencing = silencing
        self._lately = lately
        self._publisher = publisher
        self._clock = clock

    async def alerts(self) -> Alerts:
        """Return alerts over windows as they stand, and how many exchanges raised one lately."""
        runbooks = self._publisher.settings.alerts.notify.runbooks
        return Alerts(
            alerts=[views.alert(each, runbooks) for each in self._watching.shown()],
            exchanges=views.counted(self._lately.counts()),
            alert_seconds=SECONDS,
        )

    async def silences(self) -> Silences:
        """Return the silences that last."""
        return Silences(silences=[silence_state(each) for each in self._silencing.lasting])

    async def add_silence(self, body: NewSilence, request: Request) -> SilenceState:
        """Let nobody be told of some alerts for a time; they are logged and counted as ever."""
        self._check(body)
        now = self._clock()
        silence = Silence(
            alert=body.alert,
            route=body.route,
            variant=body.variant,
            begins_at=now,
            ends_at=now + body.seconds,
            who=request.state.caller.name,
            why=body.why,
        )
        with kept():
            made = await self._silencing.add(silence)
        await self._done(request, made, body.why)
        return silence_state(made)

    async def end_silence(
        self, silence: NumberInPath, request: Request, why: Because = ""
    ) -> SilenceState:
        """End a silence before its time; what still fires is told then."""
        with kept():
            found = await self._silencing.end(silence)
        if found is None:
            raise Refused(404, f"There is no silence {silence} that lasts; turnout silence list.")
        await self._done(request, found, why)
        return silence_state(found)

    def _check(self, body: NewSilence) -> None:
        """Refuse what would silence nothing, or everything by mistake."""
        named = (body.alert, body.route, body.variant)
        if body.everything == any(named):
            raise Refused(400, NOTHING_SAID)
        if body.alert is not None and body.alert not in NAMES:
            raise Refused(400, f"There is no alert of this name; there are: {', '.join(NAMES)}.")
        routes = self._publisher.settings.data_plane.table.routes
        if body.route is not None and body.route not in routes:
            raise Refused(
                404, f"There is no such route; there are: {', '.join(routes) or 'none'}."
            )
        within = routes.values() if body.route is None else [routes[body.route]]
        variants = dict.fromkeys(each.name for route in within for each in route.variants)
        if body.variant is not None and body.variant not in variants:
            raise Refused(404, f"There is no such variant; there are: {', '.join(variants)}.")

    async def _done(self, request: Request, silence: Silence, why: str) -> None:
        until = f"until {views.moment(silence.ends_at):%Y-%m-%d %H:%M:%S} UTC"
        entry = done(request, self._clock(), target(silence), why=why, detail=until)
        await self._publisher.record(entry)


@contextmanager
def kept() -> Iterator[None]:
    """Refuse what the block could not have kept."""
    try:
        yield
    except StoreError as error:
        raise Unavailable(f"it can't be kept, so nothing was changed: {error}") from error


def target(silence: Silence) -> str:
    """Return what a silence is of, as the audit log says it."""
    said = (silence.alert, silence.route, silence.variant)
    what = " ".join(filter(None, said)) or "everything"
    return f"{silence.number} ({what})"


def silence_state(silence: Silence) -> SilenceState:
    """Return a silence as it is shown."""
    said = structs.asdict(silence)
    times = {name: views.moment(said[name]) for name in ("begins_at", "ends_at")}
    return SilenceState.model_validate(said | times)
