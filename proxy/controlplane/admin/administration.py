"""Administration, assembled: the list of all routes, and who may use each.

Metrics, health and what describes the interface are open; all else takes a token, and every
change, and to read bodies, one with the role admin. A route that is not in this list is not there.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from fastapi import FastAPI, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse
from starlette.types import ASGIApp

from proxy import __version__
from proxy.controlplane.admin import models
from proxy.controlplane.admin.audit import Records, RefusedChanges
from proxy.controlplane.admin.changing import Changing, Publishing, not_made
from proxy.controlplane.admin.comparing.answering import Answering, Compares
from proxy.controlplane.admin.entrance.door import SCHEME, Door, Guard, Role, needs
from proxy.controlplane.admin.entrance.gate import CSP, Gate
from proxy.controlplane.admin.entrance.refusals import failed, refused, unfit, unreadable
from proxy.controlplane.admin.entrance.tokens import Tokens
from proxy.controlplane.admin.lately import Lately
from proxy.controlplane.admin.notifying.answering import Notifiers, Notifying
from proxy.controlplane.admin.page import PAGE_POLICY, page
from proxy.controlplane.admin.record.costs import Costing, Kept
from proxy.controlplane.admin.record.looking import Looking, Observations
from proxy.controlplane.admin.record.words import Words
from proxy.controlplane.admin.showing import History, Hosts, InForce, Showing
from proxy.controlplane.admin.watching.answering import Alerting
from proxy.controlplane.fleet import Fleet
from proxy.controlplane.spending import Spending
from proxy.controlplane.watching.silencing import Silencing
from proxy.controlplane.watching.watching import Watching
from proxy.errors import ChangeError, StoreError

Rendered = tuple[bytes, str]  # a body and its content type

API = "/api/v1"
ROUTE = f"{API}/routes/{{route}}"
VARIANT = f"{ROUTE}/variants/{{variant}}"
REFUSED: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": models.Refused, "description": "It was not done, and why."},
    "5XX": {
        "model": models.Refused,
        "description": "503: it can't be done at present, and why. Others: look whether it was.",
    },
}
OUTDATED: dict[int | str, dict[str, Any]] = {
    412: {
        "model": models.Outdated,
        "description": "The routing is not the one in `If-Match` any more, and what happened.",
    }
}


class Publisher(Publishing, InForce, Records, Protocol):
    """Puts changes in force, says what is, and writes down who was refused."""


class Pages:
    """What anybody may see: health, metrics, and what describes the interface."""

    def __init__(self, app: FastAPI, render: Callable[[], Rendered]) -> None:
        self._app = app
        self._render = render

    async def contents(self) -> dict[str, Any]:
        """List what there is."""
        return {
            "turnout": __version__,
            "for people": "/docs",
            "for programs": "/openapi.json",
            "there is": [
                f"{method.upper()} {path}"
                for path, methods in described(self._app)["paths"].items()
                for method in methods
            ],
        }

    async def document(self) -> JSONResponse:
        """Return the OpenAPI document."""
        return JSONResponse(described(self._app))

    async def docs(self) -> HTMLResponse:
        """Return the OpenAPI document as a page for people."""
        return HTMLResponse(page(described(self._app)), headers={CSP: PAGE_POLICY})

    async def healthz(self) -> Response:
        """Say that control is alive."""
        return Response("ok\n", media_type="text/plain")

    def metrics(self) -> Response:
        """Return all metrics in Prometheus' text format."""
        body, kind = self._render()
        return Response(body, headers={"content-type": kind})


def administration(
    *,
    names: Iterable[str],
    tokens: Tokens,
    fleet: Fleet,
    render: Callable[[], Rendered],
    publisher: Publisher,
    hosts: Hosts,
    history: History,
    observations: Observations | None,
    compares: Compares | None = None,
    notifiers: Notifiers,
    lately: Lately,
    watching: Watching,
    silencing: Silencing,
    spending: Spending,
    spent: Kept | None,
    clock: Callable[[], float],
) -> ASGIApp:
    """Return the application.

    `render` returns the metrics; `observations` and `compares` of None are not stored; `names` are
    those that it goes by, `clock` is seconds since the epoch.
    """
    app = bare()
    app.state.guard = Guard(tokens, RefusedChanges(publisher, clock))
    show_pages(app, Pages(app, render))
    show(
        app,
        Showing(
            fleet=fleet,
            in_force=publisher,
            hosts=hosts,
            history=history,
            lately=lately,
            watching=watching,
            budgets=spending.standings,
        ),
    )
    looking = Looking(observations, history, lambda: publisher.current.number)
    add(app, "GET", f"{API}/cost", Costing(spent, clock).cost, "reader")
    look(app, looking, Words(looking, publisher, clock))
    answering = Answering(compares, history, publisher, clock)
    add(app, "GET", f"{ROUTE}/compare", answering.compare, "reader")
    watch(app, Alerting(watching, silencing, lately, publisher, clock))
    change(app, Changing(publisher))
    add(app, "POST", f"{API}/notify", Notifying(notifiers, clock).notify, "admin")
    return Gate(app, names)


def bare() -> FastAPI:
    """Return an application without routes, whose refusals all have one form."""
    app = FastAPI(
        title="turnout",
        version=__version__,
        openapi_url=None,  # these three would be routes without a role,
        docs_url=None,  # and the pages would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        responses=REFUSED,
    )
    app.router.route_class = Door
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, unfit)
    app.add_exception_handler(ChangeError, not_made)
    app.add_exception_handler(StoreError, unreadable)
    app.add_exception_handler(Exception, failed)
    return app


def show_pages(app: FastAPI, pages: Pages) -> None:
    """Put in what anybody may see."""
    add(app, "GET", "/", pages.contents, "open")
    add(app, "GET", "/docs", pages.docs, "open", response_class=HTMLResponse)
    add(app, "GET", "/openapi.json", pages.document, "open")
    add(app, "GET", "/healthz", pages.healthz, "open", response_class=Response)
    add(app, "GET", "/metrics", pages.metrics, "open", response_class=Response)


def show(app: FastAPI, showing: Showing) -> None:
    """Put in what readers may see."""
    add(app, "GET", f"{API}/status", showing.status, "reader")
    add(app, "GET", f"{API}/routing", showing.routing, "reader")
    add(app, "GET", f"{ROUTE}/explain", showing.explain, "reader")
    add(app, "GET", f"{API}/versions", showing.versions, "reader")
    add(app, "GET", f"{API}/versions/{{number}}", showing.version, "reader")
    path = f"{API}/versions/{{earlier}}/diff/{{later}}"
    add(app, "GET", path, showing.diff, "reader", response_model_exclude_unset=True)
    add(app, "GET", f"{API}/audit", showing.audit, "reader")


def look(app: FastAPI, looking: Looking, words: Words) -> None:
    """Put in what readers may see of exchanges, and what only admins may."""
    one = f"{API}/exchanges/{{request_id}}"
    add(app, "GET", f"{API}/exchanges", looking.exchanges, "reader")
    add(app, "GET", one, looking.exchange, "reader")
    add(app, "GET", f"{one}/body", words.bodies, "admin")
    add(app, "DELETE", f"{one}/body", words.forget, "admin")


def watch(app: FastAPI, alerting: Alerting) -> None:
    """Put in what readers may see of alerts, and what admins may silence."""
    add(app, "GET", f"{API}/alerts", alerting.alerts, "reader")
    add(app, "GET", f"{API}/silences", alerting.silences, "reader")
    add(app, "POST", f"{API}/silences", alerting.add_silence, "admin")
    add(app, "DELETE", f"{API}/silences/{{silence}}", alerting.end_silence, "admin")


def change(app: FastAPI, changing: Changing) -> None:
    """Put in what admins may change."""
    for method, path, endpoint in (
        ("POST", f"{ROUTE}/split", changing.split),
        ("POST", f"{ROUTE}/variants", changing.add_variant),
        ("DELETE", VARIANT, changing.remove_variant),
        ("POST", f"{VARIANT}/drain", changing.drain_variant),
        ("POST", f"{API}/variants/{{variant}}/off", changing.switch_off),
        ("POST", f"{API}/variants/{{variant}}/on", changing.switch_on),
        ("PUT", f"{ROUTE}/pins", changing.pin),
        ("DELETE", f"{ROUTE}/pins", changing.unpin),
        ("PUT", f"{ROUTE}/shadow", changing.shadow),
        ("DELETE", f"{ROUTE}/shadow", changing.end_shadow),
        ("POST", f"{API}/rollback", changing.rollback),
        ("POST", f"{API}/reload", changing.reload),
    ):
        add(app, method, path, endpoint, "admin", responses=OUTDATED)


def add(
    app: FastAPI, method: str, path: str, endpoint: Callable[..., Any], role: Role, **more: Any
) -> None:
    """Put in one route, for callers with `role`."""
    name = endpoint.__name__
    app.add_api_route(
        path, endpoint, methods=[method], operation_id=name, openapi_extra=needs(role), **more
    )


def described(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the way to say who one is."""
    document = app.openapi()
    parts = document.setdefault("components", {})
    parts["securitySchemes"] = {SCHEME: {"type": "http", "scheme": "bearer"}}
    return document
