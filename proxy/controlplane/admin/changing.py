"""What admins may change: each request becomes a change of contents, handed to publishing.

What a change means is the rollout's business; whether it can be served, how it gets in force and
how it is written down is publishing's. Who may ask for it was decided at the door.
"""

import re
from collections.abc import Callable
from typing import Annotated, Protocol

from fastapi import Depends, Header, Query, Response
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import JSONResponse

from proxy.controlplane.admin import models, views
from proxy.controlplane.admin.entrance.refusals import Refused, refusal
from proxy.controlplane.admin.models.forms import Unit, Words
from proxy.controlplane.admin.showing import Named, etag
from proxy.controlplane.publishing.change import (
    Caller,
    Misfit,
    Published,
    Reloaded,
    Stale,
    Unavailable,
    Unknown,
)
from proxy.errors import Missing
from proxy.rollout import Contents, Source, changes

COMMAND_LINE = "turnout-cli/"  # how its User-Agent begins
TAG = re.compile(r'"([1-9]\d{0,14})"', re.ASCII)
MATCH = 'The version that the change was made against, as its ETag says it, like `"7"`.'
NO_WORDS = models.Why()
EVERYWHERE = models.Switch()
Change = Callable[[Contents], Contents]
Because = Annotated[Words, Query(description="Why; it stands in the version and the audit log.")]


class Publishing(Protocol):
    """Whoever puts changes in force, one at a time, and writes them down, also refused ones."""

    async def publish(
        self,
        change: Change,
        *,
        caller: Caller,
        why: str,
        source: Source,
        base: int | None = None,
        action: str,
        target: str,
    ) -> Published:
        """Put in force what `change` makes of the contents; ChangeError: it can't be."""
        ...

    async def rollback(
        self,
        route: str | None,
        to: int | None,
        *,
        caller: Caller,
        why: str,
        base: int | None = None,
    ) -> Published:
        """Put the contents of an earlier version in force; ChangeError: there is none."""
        ...

    async def reload(self, caller: Caller) -> Reloaded:
        """Read the file again."""
        ...


class Asked(Struct, frozen=True, kw_only=True):
    """A change that is asked for: what it is called, by whom, made against which version."""

    action: str
    caller: Caller
    source: Source
    base: int | None
    response: Response  # where the answer's headers go


def asked(
    request: Request,
    response: Response,
    if_match: Annotated[str | None, Header(description=MATCH)] = None,
    user_agent: Annotated[str, Header(include_in_schema=False)] = "",
) -> Asked:
    """Return what is asked for; the door has seen to it that it may be."""
    given = "*" if if_match is None else if_match.strip()
    tag = TAG.fullmatch(given)
    if tag is None and given != "*":
        raise Refused(400, 'If-Match takes a version as its ETag says it, like "7".')
    return Asked(
        action=request.state.action,
        caller=request.state.caller,
        source=Source.CLI if user_agent.startswith(COMMAND_LINE) else Source.API,
        base=None if tag is None else int(tag[1]),
        response=response,
    )


By = Annotated[Asked, Depends(asked)]


class Changing:
    """Does what admins ask."""

    def __init__(self, publishing: Publishing) -> None:
        self._publishing = publishing

    async def split(self, route: Named, body: models.Split, by: By) -> models.Published:
        """Set a route's weights."""

        def change(contents: Contents) -> Contents:
            return changes.split(contents, route, body.weights)

        return await self._publish(by, body.why, change, route)

    async def add_variant(self, route: Named, body: models.NewVariant, by: By) -> models.Published:
        """Add a variant to a route, as its last one."""
        said = body.model_dump(exclude={"name", "weight", "why"})

        def change(contents: Contents) -> Contents:
            return changes.add_variant(contents, route, body.name, said, body.weight)

        return await self._publish(by, body.why, change, route, new=body.name)

    async def remove_variant(
        self, route: Named, variant: Named, by: By, why: Because = ""
    ) -> models.Published:
        """Remove a variant that has no weight from a route."""

        def change(contents: Contents) -> Contents:
            return changes.remove_variant(contents, route, variant)

        return await self._publish(by, why, change, route, variant)

    async def drain_variant(
        self, route: Named, variant: Named, by: By, body: models.Why = NO_WORDS
    ) -> models.Published:
        """Give a variant's weight to the route's default; what runs on it ends on it."""

        def change(contents: Contents) -> Contents:
            return changes.drain_variant(contents, route, variant)

        return await self._publish(by, body.why, change, route, variant)

    async def switch_off(
        self, variant: Named, by: By, body: models.Switch = EVERYWHERE
    ) -> models.Published:
        """Switch a variant off: it serves nobody, and its weight is kept.

        On all routes: but for those on which no other one is on; `left` names them.
        """

        def change(contents: Contents) -> Contents:
            return changes.switch(contents, variant, False, body.route)  # noqa: FBT003  # off

        done = await self._publish(by, body.why, change, body.route, variant)
        return done.model_copy(update={"left": serving(done.routes, variant)})

    async def switch_on(
        self, variant: Named, by: By, body: models.Switch = EVERYWHERE
    ) -> models.Published:
        """Switch a variant on again."""

        def change(contents: Contents) -> Contents:
            return changes.switch(contents, variant, True, body.route)  # noqa: FBT003  # on

        return await self._publish(by, body.why, change, body.route, variant)

    async def pin(self, route: Named, body: models.Pinning, by: By) -> models.Published:
        """Give a unit a variant of its own."""

        def change(contents: Contents) -> Contents:
            return changes.pin(contents, route, body.unit, body.variant)

        return await self._publish(by, body.why, change, route)

    async def unpin(
        self,
        route: Named,
        unit: Annotated[Unit, Query(description="The unit that has a variant of its own.")],
        by: By,
        why: Because = "",
    ) -> models.Published:
        """Let a unit go where the split says again."""

        def change(contents: Contents) -> Contents:
            return changes.pin(contents, route, unit, None)

        return await self._publish(by, why, change, route)

    async def shadow(self, route: Named, body: models.Shadowing, by: By) -> models.Published:
        """Let a variant get a share of a route's requests as well, unseen by clients."""

        def change(contents: Contents) -> Contents:
            return changes.shadow(
                contents,
                route,
                body.variant,
                body.percent,
                timeout=body.timeout_seconds,
                concurrency=body.concurrency,
            )

        return await self._publish(by, body.why, change, route)

    async def end_shadow(self, route: Named, by: By, why: Because = "") -> models.Published:
        """End a route's shadow."""

        def change(contents: Contents) -> Contents:
            return changes.shadow(contents, route, None)

        return await self._publish(by, why, change, route)

    async def rollback(self, body: models.Rollback, by: By) -> models.Published:
        """Put the contents of an earlier version in force, of one route or of all."""
        published = await self._publishing.rollback(
            body.route, body.to, caller=by.caller, why=body.why, base=by.base
        )
        return answer(published, by, body.route)

    async def reload(self, by: By) -> models.Reloaded:
        """Read the configuration file again."""
        return views.reloaded(await self._publishing.reload(by.caller))

    async def _publish(  # private, and each call reads as a sentence
        self,
        by: Asked,
        why: str,
        change: Change,
        route: str | None,
        variant: str | None = None,
        *,
        new: str | None = None,
    ) -> models.Published:
        """Publish `change`."""
        published = await self._publishing.publish(
            change,
            caller=by.caller,
            why=why,
            source=by.source,
            base=by.base,
            action=by.action,
            target="/".join(filter(None, (route, variant or new))),
        )
        return answer(published, by, route)


def serving(routes: list[models.RouteState], variant: str) -> list[str]:
    """Return the routes on which `variant` is on."""
    return [
        route.name
        for route in routes
        for each in route.variants
        if each.name == variant and not each.off
    ]


def not_made(_: Request, error: Exception) -> JSONResponse:
    """Answer where a change can't be made; its errors are written for whoever asked."""
    match error:
        case Stale():
            current = error.current.number
            here = current if error.fits else 0
            since = [views.line(each, here).model_dump(mode="json") for each in error.since]
            return refusal(412, str(error), current=current, since=since)
        case Misfit():
            return refusal(400, str(error), error.problems)
        case Missing():
            return refusal(404, str(error))
        case Unknown():
            return refusal(504, str(error))
        case Unavailable():
            return refusal(503, str(error))
        case _:
            return refusal(409, str(error))


def answer(published: Published, by: Asked, route: str | None) -> models.Published:
    """Return what came of a change, with the version as the answer's ETag."""
    by.response.headers["etag"] = etag(published.version)
    return views.published(published, route)
