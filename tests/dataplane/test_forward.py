"""A request goes to its variant as the client wrote it, and to the next one where that fails."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from msgspec import Raw

from proxy.config.settings import DataPlane, Previews, Timeouts
from proxy.exchange import ErrorCode, Outcome
from proxy.routing import Route, Variant
from tests.support.data_plane import Turnout, serving, settings_of, upstream, variant
from tests.support.scripted_upstream import (
    FIN,
    HANG,
    RESET,
    Act,
    ScriptedUpstream,
    black_hole_port,
    error_reply,
    head,
    json_reply,
    refusing_port,
    scripted_upstream,
)

CHAT = "/v1/chat/completions"
REPLY = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "served",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Your parcel is on its way."},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16},
}


def ask(model: str = "support", **more: object) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": "Where is it?"}], **more}


@pytest.fixture
async def base() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        server.by_default = json_reply(REPLY)
        yield server


@pytest.fixture
async def tuned() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        server.by_default = json_reply({**REPLY, "model": "tuned"})
        yield server


def one_route(
    base: ScriptedUpstream, served_by: Variant | None = None, **changes: object
) -> DataPlane:
    only = served_by or variant("base", "one", "gpt-base")
    route = Route(name="support", variants=(only,), weights=(1.0,))
    return settings_of(route, upstreams=[upstream("one", base.port)], **changes)


def with_fallback(first: int, second: int, **changes: object) -> DataPlane:
    route = Route(
        name="support",
        variants=(variant("base", "two", "gpt-base"), variant("ft", "one", "ft-model")),
        weights=(0.0, 1.0),
        fallback=("base",),
    )
    return settings_of(
        route, upstreams=[upstream("one", first, **changes), upstream("two", second, **changes)]
    )


async def test_the_model_is_the_variants_and_everything_else_is_as_the_client_wrote_it(
    base: ScriptedUpstream,
) -> None:
    async with serving(one_route(base)) as turnout:
        body = b'{"model":"support","messages":[],"temperature":0.10,"x_new":{"a":[1e2,null]}}'
        reply = await turnout.client.post(
            CHAT, content=body, headers={"content-type": "application/json"}
        )
        assert reply.status_code == 200
        assert (await base.request()).body == body.replace(b'"support"', b'"gpt-base"')
        await turnout.observed()


async def test_a_variant_without_changes_passes_the_clients_very_bytes(
    base: ScriptedUpstream,
) -> None:
    body = b'{ "messages" : [ ], "model":"support" }\n'
    async with serving(one_route(base, variant("base", "one"))) as turnout:
        await turnout.client.post(CHAT, content=body)
        assert (await base.request()).body == body
        await turnout.observed()


async def test_overrides_win_over_the_client_and_defaults_only_fill_in(
    base: ScriptedUpstream,
) -> None:
    changing = Variant(
        name="base",
        upstream="one",
        overrides={"temperature": Raw(b"0")},
        defaults={"max_tokens": Raw(b"64"), "seed": Raw(b"1")},
    )
    async with serving(one_route(base, changing)) as turnout:
        await turnout.post(CHAT, ask(temperature=1, seed=7))
        sent = (await base.request()).json()
        assert (sent["temperature"], sent["max_tokens"], sent["seed"]) == (0, 64, 7)
        await turnout.observed()


async def test_the_reply_says_what_served_it_and_its_bytes_are_the_upstreams(
    base: ScriptedUpstream,
) -> None:
    async with serving(one_route(base)) as turnout:
        reply = await turnout.post(CHAT, ask())
        observation = await turnout.observed()
        assert reply.headers["x-turnout-route"] == "support"
        assert reply.headers["x-turnout-variant"] == "base"
        assert reply.headers["x-turnout-request-id"] == observation.request_id
        assert reply.content == json.dumps(REPLY).encode()


async def test_the_record_says_what_happened(base: ScriptedUpstream) -> None:
    async with serving(one_route(base)) as turnout:
        await turnout.post(CHAT, ask(user="alice"))
        seen = await turnout.observed()
    assert seen.outcome is Outcome.COMPLETED
    assert (seen.status, seen.endpoint, seen.dialect) == (200, CHAT, "chat")
    assert (seen.route, seen.variant_assigned, seen.variant_served) == ("support", "base", "base")
    assert (seen.upstream, seen.model_asked, seen.model_served) == ("one", "support", "served")
    assert (seen.usage.prompt_tokens, seen.usage.response_tokens) == (9, 7)
    assert seen.tokens_source == "upstream"
    assert seen.finish_reason == "stop"
    assert seen.reply_chars == len("Your parcel is on its way.")
    assert seen.prompt_preview == "Where is it?"
    assert seen.response_preview == "Your parcel is on its way."
    assert seen.unit_kind == "user"
    assert seen.attempts == 1
    assert 0 <= seen.overhead_ms <= seen.latency_ms


@pytest.mark.parametrize(
    ("previews", "prompt", "reply"),
    [
        (Previews(chars=0), None, None),
        (Previews(chars=5), "Where", "Your "),
        (Previews(chars=5, redact=("x",)), "Where is it?", "Your parcel is on its way."),
    ],
    ids=["off", "as much as is shown", "more, to be masked before it is cut"],
)
async def test_no_more_words_leave_a_worker_than_are_needed(
    base: ScriptedUpstream, previews: Previews, prompt: str | None, reply: str | None
) -> None:
    async with serving(one_route(base, previews=previews)) as turnout:
        await turnout.post(CHAT, ask())
        seen = await turnout.observed()
    assert (seen.prompt_preview, seen.response_preview) == (prompt, reply)


async def test_the_same_user_stays_on_the_same_variant(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    route = Route(
        name="support",
        variants=(variant("base", "one"), variant("ft", "two")),
        weights=(1.0, 1.0),
    )
    settings = settings_of(
        route, upstreams=[upstream("one", base.port), upstream("two", tuned.port)]
    )
    async with serving(settings) as turnout:
        served: dict[str, set[str]] = {}
        for user in [f"user-{number % 8}" for number in range(32)]:
            reply = await turnout.post(CHAT, ask(user=user))
            served.setdefault(user, set()).add(reply.headers["x-turnout-variant"])
            await turnout.observed()
    assert all(len(variants) == 1 for variants in served.values())
    assert set().union(*served.values()) == {"base", "ft"}


async def test_a_variant_can_be_forced_and_the_record_says_so(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    async with serving(with_fallback(tuned.port, base.port)) as turnout:
        reply = await turnout.post(CHAT, ask(), {"x-turnout-variant": "base"})
        seen = await turnout.observed()
        assert reply.headers["x-turnout-variant"] == "base"
        assert (seen.forced, seen.variant_served) == (True, "base")


async def test_a_forced_variant_that_does_not_exist_is_refused_with_the_names_that_do(
    base: ScriptedUpstream,
) -> None:
    async with serving(one_route(base)) as turnout:
        reply = await turnout.post(CHAT, ask(), {"x-turnout-variant": "nope"})
        seen = await turnout.observed()
    assert reply.status_code == 400
    assert "base" in reply.json()["error"]["message"]
    assert seen.error_code is ErrorCode.CALLER_UNKNOWN_VARIANT
    assert base.requests == []


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408, 404])
async def test_a_failing_variant_hands_over_to_the_fallback(
    base: ScriptedUpstream, tuned: ScriptedUpstream, status: int
) -> None:
    tuned.by_default = error_reply(status)
    async with serving(with_fallback(tuned.port, base.port)) as turnout:
        reply = await turnout.post(CHAT, ask())
        seen = await turnout.observed()
    assert reply.status_code == 200
    assert (seen.variant_assigned, seen.variant_served) == ("ft", "base")
    assert (seen.upstream, seen.attempts, seen.outcome) == ("two", 2, Outcome.COMPLETED)


async def test_the_fallback_serves_where_the_upstream_cannot_be_reached(
    base: ScriptedUpstream,
) -> None:
    with refusing_port() as port:
        async with serving(with_fallback(port, base.port)) as turnout:
            assert (await turnout.post(CHAT, ask())).status_code == 200
            assert (await turnout.observed()).variant_served == "base"


@pytest.mark.parametrize(
    "steps", [[RESET], [FIN], [head(400, headers=[("Content-Length", "5")]), RESET]]
)
async def test_the_fallback_serves_where_the_upstream_dies_before_its_first_byte(
    base: ScriptedUpstream, tuned: ScriptedUpstream, steps: list[bytes | Act]
) -> None:
    tuned.by_default = steps
    async with serving(with_fallback(tuned.port, base.port)) as turnout:
        assert (await turnout.post(CHAT, ask())).status_code == 200
        seen = await turnout.observed()
    assert (seen.variant_served, seen.outcome, seen.error_code) == (
        "base",
        Outcome.COMPLETED,
        None,
    )


async def test_the_last_variants_own_error_reaches_the_client_untouched(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    tuned.by_default = error_reply(503)
    base.by_default = error_reply(429, retry_after="7")
    async with serving(with_fallback(tuned.port, base.port)) as turnout:
        reply = await turnout.post(CHAT, ask())
        seen = await turnout.observed()
    assert reply.status_code == 429
    assert reply.headers["retry-after"] == "7"
    assert reply.json()["error"]["message"] == "scripted 429"
    assert (seen.outcome, seen.error_code) == (
        Outcome.UPSTREAM_ERROR,
        ErrorCode.PROVIDER_RATE_LIMITED,
    )


async def test_a_request_at_fault_is_not_tried_elsewhere(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    tuned.by_default = error_reply(400)
    async with serving(with_fallback(tuned.port, base.port)) as turnout:
        reply = await turnout.post(CHAT, ask())
        seen = await turnout.observed()
    assert (reply.status_code, base.requests) == (400, [])
    assert (seen.outcome, seen.error_code) == (
        Outcome.REJECTED,
        ErrorCode.CALLER_REJECTED_UPSTREAM,
    )


async def test_a_model_that_is_not_loaded_is_not_the_callers_fault(
    base: ScriptedUpstream,
) -> None:
    base.by_default = error_reply(404)
    async with serving(one_route(base)) as turnout:
        reply = await turnout.post(CHAT, ask())
        seen = await turnout.observed()
    assert reply.status_code == 404
    assert (seen.outcome, seen.error_code) == (Outcome.UPSTREAM_ERROR, ErrorCode.PROVIDER_STATUS)


async def test_a_busy_upstream_is_asked_again_within_the_budget(base: ScriptedUpstream) -> None:
    base.will(error_reply(503), json_reply(REPLY))
    route = Route(name="support", variants=(variant("base", "one"),), weights=(1.0,))
    settings = settings_of(route, upstreams=[upstream("one", base.port, retries=2)])
    async with serving(settings) as turnout:
        assert (await turnout.post(CHAT, ask())).status_code == 200
        assert (await turnout.observed()).attempts == 2


async def test_a_connection_that_went_stale_is_replaced_without_the_client_noticing(
    base: ScriptedUpstream,
) -> None:
    async with serving(one_route(base)) as turnout:
        await turnout.post(CHAT, ask())
        first = (await base.request()).connection
        base.will([RESET], json_reply(REPLY))
        reply = await turnout.post(CHAT, ask())
        assert reply.status_code == 200
        await turnout.observed()
        assert (await turnout.observed()).attempts == 2
        assert (await base.request()).connection is first


async def test_nobody_listening_is_502_and_names_no_detail() -> None:
    with refusing_port() as port:
        route = Route(name="support", variants=(variant("base", "one"),), weights=(1.0,))
        async with serving(settings_of(route, upstreams=[upstream("one", port)])) as turnout:
            reply = await turnout.post(CHAT, ask())
            seen = await turnout.observed()
    error = reply.json()["error"]
    assert (reply.status_code, error["code"]) == (502, "provider_connect_failed")
    assert str(port) not in reply.text
    assert error["request_id"] == seen.request_id
    assert (seen.outcome, seen.status) == (Outcome.UPSTREAM_ERROR, 502)


async def test_an_unknown_name_is_502() -> None:
    route = Route(name="support", variants=(variant("base", "one"),), weights=(1.0,))
    nowhere = upstream("one", 80, host="nobody.invalid")
    async with serving(settings_of(route, upstreams=[nowhere])) as turnout:
        reply = await turnout.post(CHAT, ask())
        assert reply.status_code == 502
        assert (await turnout.observed()).error_code is ErrorCode.PROVIDER_NAME_UNKNOWN


async def a_timeout(turnout: Turnout, seconds: float) -> tuple[int, ErrorCode | None, Outcome]:
    began = asyncio.get_running_loop().time()
    reply = await turnout.post(CHAT, ask())
    taken = asyncio.get_running_loop().time() - began
    assert seconds * 0.9 <= taken <= seconds * 1.1 + 0.1
    seen = await turnout.observed()
    return reply.status_code, seen.error_code, seen.outcome


async def test_a_black_hole_is_504_at_the_connect_timeout() -> None:
    route = Route(name="support", variants=(variant("base", "one"),), weights=(1.0,))
    with black_hole_port() as port:
        one = upstream("one", port, timeouts=Timeouts(connect=0.5))
        async with serving(settings_of(route, upstreams=[one])) as turnout:
            assert await a_timeout(turnout, 0.5) == (
                504,
                ErrorCode.PROVIDER_CONNECT_TIMEOUT,
                Outcome.UPSTREAM_TIMEOUT,
            )


@pytest.mark.parametrize(
    ("timeouts", "code"),
    [
        (Timeouts(first_byte=0.5), ErrorCode.PROVIDER_FIRST_BYTE_TIMEOUT),
        (Timeouts(total=0.5), ErrorCode.PROVIDER_TOTAL_TIMEOUT),
    ],
)
async def test_an_upstream_that_says_nothing_is_504_at_its_own_deadline(
    base: ScriptedUpstream, timeouts: Timeouts, code: ErrorCode
) -> None:
    base.by_default = [HANG]
    route = Route(name="support", variants=(variant("base", "one"),), weights=(1.0,))
    one = upstream("one", base.port, timeouts=timeouts)
    async with serving(settings_of(route, upstreams=[one])) as turnout:
        assert await a_timeout(turnout, 0.5) == (504, code, Outcome.UPSTREAM_TIMEOUT)
        await base.all_closed()


async def test_the_whole_has_one_deadline_fallbacks_included(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    base.by_default = tuned.by_default = [HANG]
    settings = with_fallback(base.port, tuned.port, timeouts=Timeouts(first_byte=0.4, total=0.6))
    async with serving(settings) as turnout:
        assert await a_timeout(turnout, 0.6) == (
            504,
            ErrorCode.PROVIDER_TOTAL_TIMEOUT,
            Outcome.UPSTREAM_TIMEOUT,
        )
    assert (len(base.requests), len(tuned.requests)) == (1, 1)


async def test_where_no_time_is_left_the_upstream_that_took_it_is_named(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    base.by_default = [HANG]
    settings = with_fallback(base.port, tuned.port, timeouts=Timeouts(total=0.3))
    async with serving(settings) as turnout:
        assert (await turnout.post(CHAT, ask())).status_code == 504
        seen = await turnout.observed()
    assert (seen.variant_served, seen.attempts) == (seen.variant_assigned, 1)
    assert tuned.requests == []


async def test_a_retry_that_would_come_too_late_is_not_waited_for(base: ScriptedUpstream) -> None:
    base.by_default = error_reply(503, retry_after="2")
    route = Route(name="support", variants=(variant("base", "one"),), weights=(1.0,))
    one = upstream("one", base.port, retries=2, timeouts=Timeouts(total=1.0))
    async with serving(settings_of(route, upstreams=[one])) as turnout:
        assert (await turnout.post(CHAT, ask())).headers["retry-after"] == "2"
        seen = await turnout.observed()
    assert (seen.status, seen.attempts) == (503, 1)
    assert seen.latency_ms < 1000


async def test_an_upstream_that_keeps_failing_is_left_alone_and_the_fallback_serves(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    tuned.by_default = error_reply(500)
    settings = with_fallback(tuned.port, base.port, eject_after=3, eject_seconds=60.0)
    async with serving(settings) as turnout:
        for _ in range(6):
            assert (await turnout.post(CHAT, ask())).status_code == 200
            await turnout.observed()
    assert len(tuned.requests) == 3


async def test_one_clients_own_rate_limit_shuts_nobody_else_out(base: ScriptedUpstream) -> None:
    route = Route(name="support", variants=(variant("base", "one"),), weights=(1.0,))
    one = upstream("one", base.port, eject_after=2, eject_seconds=60.0)
    base.will(*[error_reply(429)] * 4)
    async with serving(settings_of(route, upstreams=[one])) as turnout:
        for _ in range(4):
            reply = await turnout.post(CHAT, ask(), {"authorization": "Bearer of-a-busy-app"})
            assert reply.status_code == 429
            await turnout.observed()
        reply = await turnout.post(CHAT, ask(), {"authorization": "Bearer of-another"})
        assert reply.status_code == 200
        await turnout.observed()


async def test_a_rate_limit_of_our_own_key_rests_the_upstream(base: ScriptedUpstream) -> None:
    route = Route(name="support", variants=(variant("base", "one"),), weights=(1.0,))
    one = upstream("one", base.port, eject_after=2, eject_seconds=60.0, api_key="ours")
    base.by_default = error_reply(429)
    async with serving(settings_of(route, upstreams=[one])) as turnout:
        codes = []
        for _ in range(3):
            await turnout.post(CHAT, ask())
            codes.append((await turnout.observed()).error_code)
    assert codes[-1] is ErrorCode.PROVIDER_EJECTED
    assert len(base.requests) == 2


async def test_a_redirect_is_passed_on_and_never_followed(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    elsewhere = f"http://127.0.0.1:{tuned.port}/v1/chat/completions"
    base.by_default = json_reply({}, 307, [("Location", elsewhere)])
    async with serving(one_route(base)) as turnout:
        reply = await turnout.post(CHAT, ask())
        assert reply.status_code == 307
        await turnout.observed()
    assert tuned.requests == []
