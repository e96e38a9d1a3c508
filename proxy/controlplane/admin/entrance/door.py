"""The door: a route that says who may use it, and lets nobody else in.

    open    anybody: nothing that it answers is this turnout's own business, or it is /metrics
    reader  whoever has a token
    admin   whoever has a token with that role: every change, and bodies

The decision is the route's own, made before anything of the body is read, so no path leads
around it; a route that says nothing can't be made. Refused changes are written down here; those
that came in are written down by whoever makes them.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Literal, Protocol

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from proxy.config.settings import AdminToken
from proxy.controlplane.admin.entrance.body import Bounded
from proxy.controlplane.admin.entrance.refusals import Refused
from proxy.controlplane.admin.entrance.tokens import Tokens
from proxy.controlplane.publishing.change import Caller

Role = Literal["open", "reader", "admin"]

ROLE = "x-role"  # in the OpenAPI document
ROLES = ("open", "reader", "admin")
SCHEME = "token"  # the OpenAPI document's name for the way to say who one is
NOBODY = "-"
CHALLENGE = {"www-authenticate": "Bearer"}
NO_TOKEN = "Say who you are: Authorization: Bearer TOKEN."  # noqa: S105  # it is none
WRONG_TOKEN = "This token is not known here."  # noqa: S105  # same
NOT_ADMIN = "This token may read; changes, and bodies, need one with the role admin."

Handle = Callable[[Request], Coroutine[Any, Any, Response]]


class Audit(Protocol):
    """Where refused changes are written down."""

    async def refused(
        self, request: Request, caller: Caller, error: HTTPException | RequestValidationError
    ) -> None:
        """Write down that `caller` was refused."""
        ...


def needs(role: Role) -> dict[str, Any]:
    """Return what a route's `openapi_extra` must be for those with `role` to get in."""
    return {ROLE: role, "security": [] if role == "open" else [{SCHEME: []}]}


class Guard:
    """Knows who calls, and decides whether they get in."""

    def __init__(self, tokens: Tokens, audit: Audit) -> None:
        self._tokens = tokens
        self._audit = audit

    async def lead(
        self, role: Role, request: Request, handle: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """Let a request in if its caller has `role`, or raise Refused."""
        caller = Caller(name=NOBODY, origin=origin(request), role="reader")
        try:
            if role != "open":
                owner = self._owner(request)
                caller = Caller(name=owner.name, origin=caller.origin, role=owner.role)
            if role == "admin" and caller.role != "admin":
                raise Refused(403, NOT_ADMIN)
            request.state.caller = caller
            return await handle(request)
        except (HTTPException, RequestValidationError) as error:
            if role == "admin":
                await self._audit.refused(request, caller, error)
            raise

    def _owner(self, request: Request) -> AdminToken:
        given = request.headers.getlist("authorization")
        scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        if scheme.lower() != "bearer":
            raise Refused(401, NO_TOKEN, **CHALLENGE)
        owner = self._tokens.owner(token.strip().encode("latin-1"))
        if owner is None:
            raise Refused(401, WRONG_TOKEN, **CHALLENGE)
        return owner


class Door(APIRoute):
    """A route with a role; it asks the application's guard for every request."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        role = (options.get("openapi_extra") or {}).get(ROLE)
        if role not in ROLES:
            raise TypeError(f"{path} does not say who may use it")
        self.role: Role = role
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Handle:
        """Return the handler, behind the guard."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            guard: Guard = request.app.state.guard
            bounded = Bounded(request.scope, request.receive)
            bounded.state.action = self.name
            return await guard.lead(self.role, bounded, handle)

        return guarded


def origin(request: Request) -> str:
    """Return the address that a request came from."""
    return NOBODY if request.client is None else request.client.host
