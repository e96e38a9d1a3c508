"""What is shown to readers: status, routing, history, explanations. Nothing here changes anything.

Who may see it was decided at the door.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Protocol

from fastapi import Path, Query, Response
from pydantic import AfterValidator

from proxy import pricing
from proxy.config.settings import Settings
from proxy.controlplane.admin import models, views
from proxy.controlplane.admin.entrance.gate import name
from proxy.controlplane.admin.entrance.refusals import Refused
from proxy.controlplane.admin.lately import Lately
from proxy.controlplane.admin.models.forms import MOST_NAME, Name, Number, Unit
from proxy.controlplane.fleet import Fleet
from proxy.controlplane.publishing.change import Reloaded
from proxy.controlplane.watching.watching import Watching
from proxy.errors import Refusal
from proxy.rollout import AuditEntry, Version, contents_of, differences
from proxy.rollout.spread import Host
from proxy.routing import Router, explain
from proxy.routing.explain import key_unit

MOST = 500  # lines of a page
Hosts = Callable[[], tuple[Host, Sequence[Host]]]  # this one, and those that share its store

Named = Annotated[str, AfterValidator(name), Path(max_length=3 * MOST_NAME)]
NumberInPath = Annotated[Number, Path(description="A version's number.")]
Before = Annotated[Number | None, Query(description="Only what stands before this number.")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]


Budgets = Callable[[], Sequence[pricing.Standing]]


class History(Protocol):
    """Where versions and the audit log are kept; called in threads."""

    def version(self, number: int) -> Version | None:
        """Return the version of this number."""
        ...

    def versions(self, limit: int = 50, before: int | None = None) -> Sequence[Version]:
        """Return the last versions, or the last ones before a number, newest first."""
        ...

    def audit(self, limit: int = 100, before: int | None = None) -> Sequence[AuditEntry]:
        """Return the last entries of the audit log, or those before a number, newest first."""
        ...


class Standing(Protocol):
    """What readings of the file came to."""

    @property
    def last(self) -> Reloaded | None:
        """The last one's result; None: none yet."""
        ...

    @property
    def degraded(self) -> Sequence[str]:
        """Why this turnout does not run on what its file says."""
        ...


class InForce(Protocol):
    """What is in force, and how well that is what the file says."""

    @property
    def current(self) -> Version:
        """The version in force."""
        ...

    @property
    def settings(self) -> Settings:
        """All settings in force."""
        ...

    @property
    def standing(self) -> Standing:
        """What readings of the file came to."""
        ...


class Showing:
    """Answers what readers ask."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        in_force: InForce,
        hosts: Hosts,
        history: History,
        lately: Lately,
        watching: Watching,
        budgets: Budgets,
    ) -> None:
        self._fleet = fleet
        self._in_force = in_force
        self._hosts = hosts
        self._history = history
        self._lately = lately
        self._watching = watching
        self._budgets = budgets

    async def status(self) -> models.Status:
        """Return the state of this turnout: routes, versions, workers, upstreams, alerts."""
        runbooks = self._in_force.settings.alerts.notify.runbooks
        return views.status(
            fleet=self._fleet,
            version=self._in_force.current,
            hosts=views.hosts(*self._hosts()),
            last=self._in_force.standing.last,
            degraded=self._in_force.standing.degraded,
            alerts=self._lately.counts(),
            firing=[views.alert(each, runbooks) for each in self._watching.firing],
            budgets=self._budgets(),
        )

    async def routing(self, response: Response) -> models.Routing:
        """Return the routing in force; its `ETag` is what `If-Match` takes."""
        version = self._in_force.current
        contents = contents_of(version)
        response.headers["etag"] = etag(version)
        return models.Routing(
            version=version.number,
            digest=version.digest,
            contents=contents,
            routes=views.routes(contents),
        )

    def versions(self, limit: Limit = 50, before: Before = None) -> models.Versions:
        """Return versions, the newest first."""
        found = self._history.versions(limit, before)
        more = len(found) == limit and found[-1].number > 1
        return models.Versions(
            versions=[views.line(each, self._in_force.current.number) for each in found],
            before=found[-1].number if more else None,
        )

    def version(self, number: NumberInPath) -> models.WholeVersion:
        """Return a version with its contents."""
        return views.whole(self._found(number), self._in_force.current.number)

    def diff(self, earlier: NumberInPath, later: NumberInPath) -> models.Diff:
        """Return every place at which two versions differ."""
        before, after = contents_of(self._found(earlier)), contents_of(self._found(later))
        found = [views.difference(each) for each in differences(before, after)]
        return models.Diff.model_validate({"from": earlier, "to": later, "differences": found})

    def audit(self, limit: Limit = 100, before: Before = None) -> models.Audit:
        """Return the audit log: changes that were asked for, done or not, the newest first."""
        found = [views.entry(each) for each in self._history.audit(limit, before)]
        more = len(found) == limit and found[-1].number > 1
        return models.Audit(entries=found, before=found[-1].number if more else None)

    async def explain(
        self,
        route: Named,
        unit: Annotated[Unit | None, Query(description="The user, conversation or key.")] = None,
        variant: Annotated[Name | None, Query(description="The variant forced by name.")] = None,
    ) -> models.Explained:
        """Say which variant of a route a unit goes to, and why."""
        plane = self._in_force.settings.data_plane
        table = plane.table
        router = Router(table, lambda: 0)  # nothing that is shown depends on these dice
        found = router.route(route)
        if found is None:
            raise Refused(
                404, f"There is no such route; there are: {', '.join(table.routes) or 'none'}."
            )
        try:
            if unit is not None and found.sticky == "key":
                unit = key_unit(unit, [each.name for each in plane.keys])
            told = explain(router, found, unit=unit, forced=variant)
        except Refusal as refusal:
            raise Refused(refusal.status, refusal.message) from None
        return views.explained(told, table.version)

    def _found(self, number: int) -> Version:
        found = self._history.version(number)
        if found is None:
            last = self._in_force.current.number
            raise Refused(404, f"There is no version {number}; they go from 1 to {last}.")
        return found


def etag(version: Version) -> str:
    """Return a version as an entity tag (RFC 9110, section 8.8.3)."""
    return f'"{version.number}"'
