"""Who may do what: every route of the application with every kind of caller."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from proxy.controlplane.admin.administration import add, bare
from proxy.controlplane.admin.entrance.door import ROLES, Door
from proxy.controlplane.admin.entrance.gate import Gate
from tests.support.administered import ADMIN, READER, TOKENS, Administered, administered

OPEN = {"/", "/docs", "/openapi.json", "/healthz", "/metrics"}
CALLERS = {"no token": None, "wrong token": "wrong", "reader": READER, "admin": ADMIN}
LET_IN = {
    "open": {"no token", "wrong token", "reader", "admin"},
    "reader": {"reader", "admin"},
    "admin": {"admin"},
}


@pytest.fixture
async def admin() -> AsyncIterator[Administered]:
    async with administered() as running:
        yield running


def application(admin: Administered) -> FastAPI:
    gate = admin.app
    assert isinstance(gate, Gate)
    app = gate._app
    assert isinstance(app, FastAPI)
    return app


def routes(admin: Administered) -> list[Door]:
    """Return all routes there are; one of another kind has no role, and fails here."""
    found = application(admin).routes
    assert [route for route in found if not isinstance(route, Door)] == []
    return [route for route in found if isinstance(route, Door)]


def methods(route: APIRoute) -> set[str]:
    return route.methods or set()


def address(route: APIRoute) -> str:
    """Return a path that leads to a route."""
    there = {"route": "support", "variant": "ft-v2"}
    return re.sub(r"{(\w+)}", lambda part: there.get(part[1], "1"), route.path)


async def test_every_route_has_a_role_and_lets_in_whom_it_says_and_nobody_else(
    admin: Administered,
) -> None:
    seen = 0
    for route in routes(admin):
        assert route.role in ROLES
        (method,) = methods(route)
        for kind, token in CALLERS.items():
            answer = await admin.ask(method, address(route), token=token)
            let_in = answer.status_code not in (401, 403)
            assert let_in == (kind in LET_IN[route.role]), (route.path, kind, answer.text)
            if not let_in:
                assert answer.status_code == (403 if kind == "reader" else 401)
            seen += 1
    assert seen == 4 * len(routes(admin)) >= 4 * 24


async def test_what_changes_something_takes_an_admin_and_only_the_described_pages_are_open(
    admin: Administered,
) -> None:
    assert {route.path for route in routes(admin) if route.role == "open"} == OPEN
    for route in routes(admin):
        private = route.path.endswith("/body")
        assert (route.role == "admin") == (private or methods(route) != {"GET"}), route.path


async def test_a_route_without_a_role_can_not_be_made() -> None:
    app = bare()
    for wrong in (None, {}, {"x-role": "everybody"}):
        with pytest.raises(TypeError, match="who may use it"):
            app.add_api_route("/new", bare, openapi_extra=wrong)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/status/",
        "//api/v1/status",
        "/api/v1//status",
        "/api/v1/%2e%2e/v1/status",
        "/api/v1%2Fstatus",
        "/api%2Fv1/status",
        "/API/v1/status",
        "/api/v1/status;x",
        "/healthz/%2e./api/v1/status",
        "/healthz%2F..%2Fapi/v1/status",
        "/api/v1/status%00",
        "/api/v1/status%2e",
    ],
)
async def test_no_other_path_leads_to_what_a_route_guards(admin: Administered, path: str) -> None:
    assert (await admin.ask("GET", path, token=None)).status_code == 404


@pytest.mark.parametrize(
    "given",
    [
        ["Basic YTpi"],
        ["Bearer"],
        ["Bearer "],
        [ADMIN],
        [f"Token {ADMIN}"],
        [f"Bearer {ADMIN}x"],
        [f"Bearer {ADMIN} x"],
        [f"Bearer {ADMIN}", f"Bearer {ADMIN}"],
        ["Bearer wrong", f"Bearer {ADMIN}"],
        ["Bearer \xe9"],
    ],
)
async def test_a_token_is_told_in_one_way_only(admin: Administered, given: list[str]) -> None:
    headers: Any = [(b"authorization", value.encode("latin-1")) for value in given]
    answer = await admin.client.get("/api/v1/status", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "canary" not in answer.text


async def test_a_token_in_the_query_or_a_cookie_is_none(admin: Administered) -> None:
    path = f"/api/v1/status?token={ADMIN}&access_token={ADMIN}"
    answer = await admin.client.get(path, headers={"cookie": f"token={ADMIN}"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


async def test_tokens_are_taken_over_and_those_that_are_gone_lead_nowhere(
    admin: Administered,
) -> None:
    assert (await admin.get("/api/v1/status", ADMIN)).status_code == 200
    admin.tokens.adopt(TOKENS[1:])
    assert (await admin.get("/api/v1/status", ADMIN)).status_code == 401


async def test_no_answer_lets_pages_of_others_read_it(admin: Administered) -> None:
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    for method in ("GET", "OPTIONS", "POST"):
        answer = await admin.client.request(method, "/api/v1/status", headers=asked)
        assert [name for name in answer.headers if name.startswith("access-control")] == []
        assert answer.status_code in (401, 405)


async def test_the_list_of_what_there_is_names_every_route(admin: Administered) -> None:
    listed = (await admin.client.get("/")).json()["there is"]
    assert sorted(listed) == sorted(
        f"{method} {route.path}" for route in routes(admin) for method in methods(route)
    )


async def test_health_and_metrics_are_open_and_plain(admin: Administered) -> None:
    assert (await admin.client.get("/healthz")).text == "ok\n"
    answer = await admin.client.get("/metrics")
    assert (answer.status_code, answer.content) == (200, b"up 1\n")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_what_can_not_be_done_somewhere_is_said_in_the_same_form(
    admin: Administered,
) -> None:
    for method, path, status in (("POST", "/metrics", 405), ("GET", "/admin", 404)):
        answer = await admin.ask(method, path)
        assert answer.status_code == status
        assert "GET / lists" in answer.json()["detail"]["message"]


async def test_an_error_of_our_own_is_answered_without_its_text(admin: Administered) -> None:
    async def broken() -> None:
        raise RuntimeError("canary")

    add(application(admin), "GET", "/broken", broken, "open")
    answer = await admin.client.get("/broken")
    assert (answer.status_code, "canary" in answer.text) == (500, False)
    assert answer.headers["x-content-type-options"] == "nosniff"
