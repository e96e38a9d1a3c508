"""What is admitted is understood; what is not is told what to do, and reaches no upstream."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxy.config.settings import DataPlane, Deadlines, Limits
from proxy.exchange import ErrorCode, Outcome
from proxy.routing import Route
from proxy.routing.table import Sticky
from tests.support.data_plane import serving, settings_of, upstream, variant
from tests.support.scripted_upstream import ScriptedUpstream, scripted_upstream

CHAT = "/v1/chat/completions"


@pytest.fixture
async def model() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        yield server


def settings(
    model: ScriptedUpstream,
    *,
    sticky: Sticky = "user",
    sticky_header: str | None = None,
    pins: dict[str, str] | None = None,
    off: tuple[str, ...] = (),
    **changes: Any,
) -> DataPlane:
    route = Route(
        name="support",
        variants=(variant("base", "one"), variant("ft", "one")),
        weights=(1.0, 1.0),
        sticky=sticky,
        sticky_header=sticky_header,
        pins=pins or {},
        off=off,
    )
    return settings_of(route, upstreams=[upstream("one", model.port)], **changes)


REFUSED = [
    pytest.param(b"", "caller_bad_json", id="empty"),
    pytest.param(b"{", "caller_bad_json", id="cut"),
    pytest.param(b"[]", "caller_bad_json", id="no object"),
    pytest.param(b'{"model":"support","x":NaN}', "caller_bad_json", id="NaN"),
    pytest.param(b'{"model":"a","model":"support"}', "caller_bad_json", id="duplicate"),
    pytest.param(b'{"model":"support","x":"\xff"}', "caller_bad_json", id="bad UTF-8"),
    pytest.param(
        b'{"model":"support","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "caller_bad_json",
        id="deep",
    ),
    pytest.param(b'{"messages":[]}', "caller_bad_request", id="no model"),
    pytest.param(b'{"model":7}', "caller_bad_request", id="model of a wrong type"),
    pytest.param(b'{"model":"support","stream":"yes"}', "caller_bad_request", id="stream"),
    pytest.param(b'{"model":"support","n":-1}', "caller_bad_request", id="negative n"),
    pytest.param(b'{"model":"support","n":5000}', "policy_parameter_limit", id="huge n"),
    pytest.param(
        b'{"model":"support","max_tokens":99999999}', "policy_parameter_limit", id="huge tokens"
    ),
]


@pytest.mark.parametrize(("body", "code"), REFUSED)
async def test_a_body_that_cannot_be_served_is_400_in_openais_shape(
    model: ScriptedUpstream, body: bytes, code: str
) -> None:
    async with serving(settings(model)) as turnout:
        reply = await turnout.client.post(CHAT, content=body)
        seen = await turnout.observed()
    error = reply.json()["error"]
    assert reply.status_code == 400
    assert error["code"] == code
    assert error["type"] == "invalid_request_error"
    assert set(error) == {"message", "type", "param", "code", "request_id"}
    assert (seen.outcome, seen.error_code, seen.status) == (Outcome.REJECTED, code, 400)
    assert model.requests == []


async def test_an_anthropic_client_is_told_in_its_own_shape(model: ScriptedUpstream) -> None:
    async with serving(settings(model)) as turnout:
        reply = await turnout.client.post("/v1/messages", json={"model": "nobody"})
        await turnout.observed()
    assert reply.json()["type"] == "error"
    assert reply.json()["error"]["type"] == "not_found_error"


async def test_an_unknown_model_is_404_and_never_a_label(model: ScriptedUpstream) -> None:
    async with serving(settings(model)) as turnout:
        reply = await turnout.post(CHAT, {"model": "no-such"})
        seen = await turnout.observed()
    assert (reply.status_code, seen.error_code) == (404, ErrorCode.CALLER_UNKNOWN_MODEL)
    assert "/v1/models" in reply.json()["error"]["message"]
    assert seen.route is None


async def test_an_unknown_model_goes_to_the_default_upstream_where_that_is_on(
    model: ScriptedUpstream,
) -> None:
    passing = settings(model, default_upstream="one", pass_unknown_models=True)
    async with serving(passing) as turnout:
        reply = await turnout.post(CHAT, {"model": "anything", "messages": []})
        seen = await turnout.observed()
    assert (await model.request()).json()["model"] == "anything"
    assert "x-turnout-route" not in reply.headers
    assert (seen.route, seen.variant_served, seen.upstream) == (None, None, "one")


async def test_a_compressed_body_is_415(model: ScriptedUpstream) -> None:
    async with serving(settings(model)) as turnout:
        reply = await turnout.client.post(
            CHAT, content=b"\x1f\x8b", headers={"content-encoding": "gzip"}
        )
        seen = await turnout.observed()
    assert (reply.status_code, seen.error_code) == (415, ErrorCode.CALLER_UNSUPPORTED)


async def test_a_body_above_the_limit_is_413(model: ScriptedUpstream) -> None:
    async with serving(settings(model, limits=Limits(body_bytes=1000))) as turnout:
        reply = await turnout.post(CHAT, {"model": "support", "x": "y" * 2000})
        seen = await turnout.observed()
    assert (reply.status_code, seen.error_code) == (413, ErrorCode.CALLER_BODY_TOO_LARGE)


async def test_the_time_a_client_takes_for_its_body_is_not_ours(model: ScriptedUpstream) -> None:
    async with serving(settings(model, deadlines=Deadlines(body=0.3))) as turnout:
        reader, writer = await turnout.connect()
        writer.write(b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{" % CHAT.encode())
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        seen = await turnout.observed()
    assert seen.error_code is ErrorCode.CALLER_TIMEOUT
    assert seen.latency_ms >= 290
    assert seen.overhead_ms < 150


@pytest.mark.parametrize(
    ("rule", "body", "headers", "kind"),
    [
        (("user", None), {"user": "alice"}, {}, "user"),
        (("user", None), {"safety_identifier": "alice"}, {}, "user"),
        (("user", "x-user"), {"user": "ignored"}, {"x-user": "alice"}, "user"),
        (("conversation", "x-talk"), {}, {"x-talk": "c1"}, "conversation"),
        (("key", None), {}, {"authorization": "Bearer of-an-app"}, "key"),
        (("user", None), {}, {}, "request"),
        (("request", None), {"user": "alice"}, {}, "request"),
    ],
)
async def test_the_unit_is_what_the_route_says_it_sticks_to(
    model: ScriptedUpstream,
    rule: tuple[Sticky, str | None],
    body: dict[str, str],
    headers: dict[str, str],
    kind: str,
) -> None:
    async with serving(settings(model, sticky=rule[0], sticky_header=rule[1])) as turnout:
        buckets = set()
        for _ in range(4):
            await turnout.post(CHAT, {"model": "support", "messages": [], **body}, headers)
            seen = await turnout.observed()
            assert seen.unit_kind == kind
            buckets.add(seen.bucket)
    assert (len(buckets) == 1) is (kind != "request")


@pytest.mark.parametrize(
    ("body", "header", "marks"),
    [
        ({"user": "alice"}, None, (True, False, False)),
        ({"user": "alice"}, "base", (False, True, False)),
        ({"user": "bob"}, None, (False, False, False)),
        ({}, None, (False, False, True)),
        ({}, "ft", (False, True, False)),
    ],
    ids=["pinned", "forced over a pin", "split", "no unit", "forced without a unit"],
)
async def test_how_an_exchange_came_by_its_variant_is_on_its_record(
    model: ScriptedUpstream,
    body: dict[str, str],
    header: str | None,
    marks: tuple[bool, bool, bool],
) -> None:
    async with serving(settings(model, pins={"alice": "ft"})) as turnout:
        headers = {} if header is None else {"x-turnout-variant": header}
        await turnout.post(CHAT, {"model": "support", "messages": [], **body}, headers)
        seen = await turnout.observed()

    assert (seen.pinned, seen.forced, seen.unit_missing) == marks
    assert seen.variant_assigned == header or header is None
    assert not seen.pinned or seen.variant_assigned == "ft"


@pytest.mark.parametrize(
    ("name", "pinned"), [("Zoë".encode(), True), ("Zoë".encode("latin-1"), False)]
)
async def test_a_header_names_a_unit_in_utf8_as_the_file_does(
    model: ScriptedUpstream, name: bytes, *, pinned: bool
) -> None:
    said = settings(model, sticky_header="x-user", pins={"Zoë": "ft"})
    async with serving(said) as turnout:
        body = {"model": "support", "messages": []}
        reply = await turnout.client.post(CHAT, json=body, headers={b"x-user": name})
        seen = await turnout.observed()

    assert reply.status_code == 200
    assert (seen.pinned, seen.unit_kind) == (pinned, "user")


async def test_on_a_route_without_units_none_is_missing(model: ScriptedUpstream) -> None:
    async with serving(settings(model, sticky="request")) as turnout:
        await turnout.post(CHAT, {"model": "support", "messages": []})
        seen = await turnout.observed()

    assert (seen.unit_kind, seen.unit_missing) == ("request", False)


async def test_a_variant_that_is_off_can_not_be_asked_for_by_name(model: ScriptedUpstream) -> None:
    async with serving(settings(model, off=("ft",))) as turnout:
        reply = await turnout.post(
            CHAT, {"model": "support", "messages": []}, {"x-turnout-variant": "ft"}
        )
        seen = await turnout.observed()

    assert reply.status_code == 400
    assert "'ft' of route 'support' is off" in reply.json()["error"]["message"]
    assert seen.error_code is ErrorCode.CALLER_VARIANT_OFF
    assert model.requests == []
