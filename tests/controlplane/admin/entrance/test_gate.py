"""What holds for every request: the Host it names, the headers it is answered with, its path."""

from collections.abc import AsyncIterator

import pytest

from proxy.controlplane.admin.entrance.gate import POLICY, name, path
from tests.support.administered import Administered, administered


@pytest.fixture
async def admin() -> AsyncIterator[Administered]:
    async with administered() as running:
        yield running


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8001",
        "127.0.0.1",
        "localhost:8001",
        "LOCALHOST",
        "[::1]:8001",
        "[::1]",
        "10.2.3.4:8001",
        "admin.internal:8001",
        "turnout-admin.llm:8001",
    ],
)
async def test_addresses_and_the_configured_names_are_known_hosts(
    admin: Administered, host: str
) -> None:
    assert (await admin.client.get("/healthz", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8001",
        "127.0.0.1.evil.example",
        "localhost.evil:1",
        "",
        ":80",
        "@",
    ],
)
async def test_other_names_are_refused_lest_a_page_rebinds_them(
    admin: Administered, host: str
) -> None:
    for asked in ("/metrics", "/api/v1/status"):
        answer = await admin.ask("GET", asked, host=host)
        assert (answer.status_code, "Host" in answer.json()["detail"]["message"]) == (400, True)
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "asked", ["/metrics", "/nowhere", "/openapi.json", "/api/v1/status", "/docs"]
)
async def test_every_answer_carries_the_security_headers(admin: Administered, asked: str) -> None:
    headers = (await admin.client.get(asked)).headers
    assert headers["content-security-policy"].startswith(POLICY)
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in headers


@pytest.mark.parametrize(
    ("raw", "decoded"),
    [
        (b"/a/b?c=%2F", "/a/b"),
        (b"/a%2Fb", "/a%2Fb"),
        (b"/a%2fb/%c3%a5", "/a%2Fb/å"),
        (b"/a%252Fb", "/a%2Fb"),
        (b"/%2e%2e/a", "/../a"),
        (b"/\xff", "/\xff"),
    ],
)
def test_a_path_is_taken_apart_before_it_is_decoded(raw: bytes, decoded: str) -> None:
    assert path(raw) == decoded


def test_a_name_in_a_path_may_have_a_slash() -> None:
    assert [name(part) for part in path(b"/org%2Fchat/x").split("/")] == ["", "org/chat", "x"]
