"""A shadow repeats a request to one variant more, and its client never notices."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from types import CoroutineType
from typing import Any

import pytest

from proxy.channel import ShadowReport
from proxy.config.settings import ClientKey, DataPlane, Timeouts
from proxy.exchange import ErrorCode, Observation, Outcome
from proxy.routing import Route
from proxy.routing.table import Shadow
from tests.support.data_plane import Turnout, serving, settings_of, upstream, variant
from tests.support.scripted_upstream import (
    FIN,
    HANG,
    RESET,
    ScriptedUpstream,
    Steps,
    chat_events,
    chunk,
    error_reply,
    head,
    json_reply,
    refusing_port,
    scripted_upstream,
    stream_reply,
)

CHAT = "/v1/chat/completions"
CHUNKED = [("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked")]


def reply(model: str, text: str = "Your parcel is on its way.") -> Steps:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16}
    return json_reply(
        {"object": "chat.completion", "model": model, "choices": [choice], "usage": usage}
    )


def ask(**more: object) -> dict[str, object]:
    return {"model": "support", "messages": [{"role": "user", "content": "Where is it?"}], **more}


@pytest.fixture
async def base() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        server.by_default = reply("base")
        yield server


@pytest.fixture
async def tuned() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        server.by_default = reply("tuned")
        yield server


def shadowed(
    base: ScriptedUpstream,
    tuned: int,
    *,
    percent: float = 100.0,
    timeout: float = 5.0,
    concurrency: int = 16,
    one: dict[str, Any] | None = None,
    two: dict[str, Any] | None = None,
    route: dict[str, Any] | None = None,
    **changes: Any,
) -> DataPlane:
    """Return a route that `base` serves and variant `ft`, on port `tuned`, follows."""
    shadow = Shadow(variant="ft", percent=percent, timeout=timeout, concurrency=concurrency)
    given: dict[str, Any] = {"weights": (1.0, 0.0), "shadow": shadow, **(route or {})}
    variants = (variant("base", "one", "gpt-base"), variant("ft", "two", "ft-model"))
    return settings_of(
        Route(name="support", variants=variants, **given),
        upstreams=[
            upstream("one", base.port, **(one or {})),
            upstream("two", tuned, **(two or {})),
        ],
        **changes,
    )


def report(turnout: Turnout) -> ShadowReport:
    """Return the only account of shadows."""
    (only,) = turnout.service.shadows.report()
    return only


async def pair(turnout: Turnout, body: dict[str, object] | None = None) -> list[Observation]:
    """Ask once; return the client's observation and its shadow's."""
    await turnout.post(CHAT, body or ask())
    first, second = await turnout.observed(), await turnout.observed()
    assert second.shadow_of == first.request_id
    return [first, second]


# What a shadow is.


async def test_a_shadow_gets_the_request_as_its_variant_wants_it(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    async with serving(shadowed(base, tuned.port)) as turnout:
        await pair(turnout, ask(temperature=0.1))
    assert (await base.request()).json()["model"] == "gpt-base"
    seen = await tuned.request()
    assert seen.json() == {**ask(temperature=0.1), "model": "ft-model"}
    assert seen.target == CHAT


async def test_the_record_of_a_shadow_names_the_request_it_follows(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    async with serving(shadowed(base, tuned.port)) as turnout:
        served, shadow = await pair(turnout, ask(user="alice"))
        assert turnout.counts.begun == 2
    assert served.shadow_of is None
    assert shadow.request_id != served.request_id
    assert (shadow.route, shadow.variant_served, shadow.upstream) == ("support", "ft", "two")
    assert (shadow.outcome, shadow.status, shadow.attempts) == (Outcome.COMPLETED, 200, 1)
    assert (shadow.endpoint, shadow.dialect, shadow.stream) == (CHAT, "chat", False)
    assert (shadow.model_asked, shadow.model_served) == ("support", "tuned")
    assert (shadow.bucket, shadow.unit_kind) == (served.bucket, "user")
    assert (shadow.usage.prompt_tokens, shadow.usage.response_tokens) == (9, 7)
    assert shadow.reply_chars == served.reply_chars
    assert shadow.reply_bytes == served.reply_bytes + 1  # "tuned" is longer than "base"
    assert shadow.overhead_ms < shadow.latency_ms


async def test_a_stream_is_read_to_its_end_and_metered(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    base.by_default = stream_reply(*chat_events("Hello", usage=True))
    tuned.by_default = stream_reply(*chat_events("Hello", " you", usage=True))
    async with serving(shadowed(base, tuned.port)) as turnout:
        _, shadow = await pair(turnout, ask(stream=True))
    assert shadow.outcome is Outcome.COMPLETED
    assert shadow.stream
    assert shadow.ttft_ms is not None
    assert shadow.tpot_ms is not None
    assert shadow.finish_reason == "stop"
    assert shadow.usage.response_tokens == 2
    assert (await tuned.request()).json()["stream_options"] == {"include_usage": True}


async def test_what_comes_without_usage_is_counted_in_control(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    tuned.by_default = stream_reply(*chat_events("Hello", " you"))
    base.by_default = tuned.by_default
    async with serving(shadowed(base, tuned.port)) as turnout:
        _, shadow = await pair(turnout, ask(stream=True))
    assert shadow.texts is not None
    assert shadow.texts.reply == "Hello you"


async def test_a_stream_that_breaks_is_as_broken_as_it_would_be_for_a_client(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    tuned.by_default = [head(headers=CHUNKED), chunk(chat_events("Hello")[1]), RESET]
    async with serving(shadowed(base, tuned.port)) as turnout:
        _, shadow = await pair(turnout, ask(stream=True))
    assert (shadow.outcome, shadow.status) == (Outcome.UPSTREAM_CUT, 200)


# What a client has of it: nothing.


async def test_nothing_is_sent_before_the_client_has_its_reply(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    gate = asyncio.Event()
    events = chat_events("Hello", usage=True)
    base.by_default = [head(headers=CHUNKED), chunk(events[0]), gate]
    base.by_default += [chunk(b"".join(events[1:])), b"0\r\n\r\n"]
    async with serving(shadowed(base, tuned.port)) as turnout:
        async with turnout.client.stream("POST", CHAT, json=ask(stream=True)) as stream:
            pieces = stream.aiter_bytes()
            await anext(pieces)
            assert not tuned.connections
            gate.set()
            assert b"[DONE]" in b"".join([piece async for piece in pieces])
        served, shadow = await turnout.observed(), await turnout.observed()
    assert (served.shadow_of, shadow.shadow_of) == (None, served.request_id)


async def test_a_shadow_that_hangs_keeps_no_client_waiting_and_ends_at_its_own_time_out(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    tuned.by_default = [HANG]
    async with serving(shadowed(base, tuned.port, timeout=0.2)) as turnout:
        for _ in range(5):
            assert (await turnout.post(CHAT, ask())).status_code == 200
            served = await turnout.observed()
            assert served.shadow_of is None
            assert served.latency_ms < 200
        for _ in range(5):
            shadow = await turnout.observed()
            assert shadow.outcome is Outcome.UPSTREAM_TIMEOUT
            assert shadow.error_code is ErrorCode.PROVIDER_TOTAL_TIMEOUT
            assert 200 <= shadow.latency_ms < 2000
        await tuned.all_closed()


async def test_a_shadow_that_can_not_be_reached_is_its_own_failure(
    base: ScriptedUpstream,
) -> None:
    with refusing_port() as port:
        async with serving(shadowed(base, port, two={"retries": 2})) as turnout:
            served, shadow = await pair(turnout)
            assert served.outcome is Outcome.COMPLETED
            assert shadow.outcome is Outcome.UPSTREAM_ERROR
            assert shadow.error_code is ErrorCode.PROVIDER_CONNECT_FAILED
            assert (shadow.status, shadow.attempts) == (None, 1)
            assert turnout.service.plane.upstreams["two"].report().connect_failures == 1


async def test_shadows_that_fail_are_not_tried_again_and_put_no_upstream_out(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    tuned.by_default = error_reply(503)
    two = {"retries": 2, "eject_after": 1}
    async with serving(shadowed(base, tuned.port, two=two)) as turnout:
        for _ in range(3):
            _, shadow = await pair(turnout)
            assert (shadow.outcome, shadow.status) == (Outcome.UPSTREAM_ERROR, 503)
            assert (await tuned.request()).json()["model"] == "ft-model"
        assert len(tuned.requests) == 3
        assert not turnout.service.plane.upstreams["two"].report().ejected


async def test_a_kept_connection_that_went_stale_costs_no_shadow(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    tuned.will(reply("tuned"), [FIN])
    async with serving(shadowed(base, tuned.port)) as turnout:
        for _ in range(2):
            _, shadow = await pair(turnout)
            assert shadow.outcome is Outcome.COMPLETED


async def test_a_clients_own_credentials_never_go_along(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    own = {
        "authorization": "Bearer theirs",
        "x-api-key": "theirs",
        "cookie": "a=b",
        "idempotency-key": "once",
        "x-trace": "kept",
    }
    async with serving(shadowed(base, tuned.port)) as turnout:
        await turnout.post(CHAT, ask(), own)
        await turnout.observed()
        await turnout.observed()
    assert (await base.request()).header("authorization") == "Bearer theirs"
    seen = await tuned.request()
    assert [seen.header(name) for name in own] == [None, None, None, None, "kept"]


async def test_an_upstream_with_a_key_of_ours_gets_that_one_and_its_401_is_ours(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    tuned.by_default = error_reply(401)
    async with serving(shadowed(base, tuned.port, two={"api_key": "ours"})) as turnout:
        _, shadow = await pair(turnout)
    assert (await tuned.request()).header("authorization") == "Bearer ours"
    assert (shadow.outcome, shadow.status) == (Outcome.UPSTREAM_ERROR, 401)


async def test_no_client_key_pays_for_a_shadow(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    digest = hashlib.sha256(b"theirs").hexdigest()
    key = ClientKey(name="app", sha256=digest, slot=0, tokens_per_minute=1000)
    async with serving(shadowed(base, tuned.port, keys=(key,))) as turnout:
        await turnout.post(CHAT, ask(), {"authorization": "Bearer theirs"})
        served, shadow = await turnout.observed(), await turnout.observed()
        assert (served.key_name, shadow.key_name) == ("app", None)
        assert (turnout.counts.requests(0, 0), turnout.counts.tokens(0, 0)) == (1, 16)


# Which requests have one.


async def test_chance_decides_by_the_routes_percentage(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    thrown = [0.0, 0.24999, 0.25, 0.99]
    left = iter(thrown)

    def random_bits(count: int) -> int:
        return int(next(left) * 2**53) if count == 53 else 7

    settings = shadowed(base, tuned.port, percent=25, route={"sticky": "key"})
    async with serving(settings, random_bits=random_bits) as turnout:
        for _ in thrown:
            await turnout.post(CHAT, ask(), {"authorization": "Bearer theirs"})
        seen = [await turnout.observed() for _ in range(len(thrown) + 2)]
        assert sum(each.shadow_of is not None for each in seen) == 2
        account = report(turnout)
    assert (account.expected, account.sent, account.dropped) == (1.0, 2, {})


@pytest.mark.parametrize(
    ("route", "headers"),
    [
        ({"shadow": None}, {}),
        ({}, {"x-turnout-variant": "base"}),
        ({"weights": (0.0, 1.0)}, {}),  # the shadow's own variant served
        ({"off": ("ft",)}, {}),
    ],
    ids=["none", "forced", "its own", "off"],
)
async def test_what_makes_no_pair_has_no_shadow(
    base: ScriptedUpstream,
    tuned: ScriptedUpstream,
    route: dict[str, Any],
    headers: dict[str, str],
) -> None:
    async with serving(shadowed(base, tuned.port, route=route)) as turnout:
        for _ in range(3):
            assert (await turnout.post(CHAT, ask(), headers)).status_code == 200
            assert (await turnout.observed()).shadow_of is None
        assert turnout.service.shadows.report() == ()


async def test_a_fallback_to_the_shadows_variant_is_not_repeated(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    base.by_default = error_reply(500)
    async with serving(shadowed(base, tuned.port, route={"fallback": ("ft",)})) as turnout:
        assert (await turnout.post(CHAT, ask())).status_code == 200
        assert (await turnout.observed()).variant_served == "ft"
        assert turnout.service.shadows.report() == ()


async def test_what_the_upstream_refused_is_repeated_and_what_we_refused_is_not(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    base.by_default = error_reply(400)
    async with serving(shadowed(base, tuned.port)) as turnout:
        served, shadow = await pair(turnout)
        assert (served.status, shadow.status) == (400, 200)
        assert (await turnout.post(CHAT, ask(n=1000))).status_code == 400
        await turnout.observed()
        assert report(turnout).sent == 1


async def test_a_client_that_left_is_not_followed(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    base.by_default = [HANG]
    async with serving(shadowed(base, tuned.port)) as turnout:
        asking = asyncio.ensure_future(turnout.post(CHAT, ask()))
        await base.request()
        asking.cancel()
        assert (await turnout.observed()).outcome is Outcome.CLIENT_GONE
        assert turnout.service.shadows.report() == ()


async def test_a_client_that_leaves_after_its_reply_takes_no_shadow_along(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    gate = asyncio.Event()
    tuned.by_default = [gate, *reply("tuned")]
    async with serving(shadowed(base, tuned.port)) as turnout:
        await turnout.post(CHAT, ask())
        await turnout.observed()
        await tuned.request()
        await turnout.client.aclose()
        gate.set()
        assert (await turnout.observed()).outcome is Outcome.COMPLETED


async def test_a_shadow_that_was_switched_off_meanwhile_does_not_begin(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    gate = asyncio.Event()
    base.by_default = [gate, *reply("base")]
    async with serving(shadowed(base, tuned.port)) as turnout:
        asking = asyncio.ensure_future(turnout.post(CHAT, ask()))
        await base.request()
        turnout.service.adopt(shadowed(base, tuned.port, route={"shadow": None}))
        gate.set()
        assert (await asking).status_code == 200
        await turnout.observed()
        assert turnout.service.shadows.report() == ()


# What gives way.


async def test_what_is_above_the_budget_is_dropped_until_there_is_room_again(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    gate = asyncio.Event()
    tuned.by_default = [gate, *reply("tuned")]
    # Three at once over two workers: two for this one.
    async with serving(shadowed(base, tuned.port, concurrency=3, workers=2)) as turnout:
        for _ in range(4):
            await turnout.post(CHAT, ask())
            assert (await turnout.observed()).shadow_of is None
        assert report(turnout).dropped == {"concurrency": 2}
        gate.set()
        await turnout.observed()
        await turnout.observed()
        await pair(turnout)
        account = report(turnout)
    assert (account.expected, account.sent, account.dropped) == (5.0, 3, {"concurrency": 2})


async def test_half_of_an_upstreams_connections_are_left_to_clients(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    tuned.by_default = [HANG]
    two = {"connections": 4}
    async with serving(shadowed(base, tuned.port, timeout=0.3, two=two)) as turnout:
        for _ in range(4):
            await turnout.post(CHAT, ask())
            assert (await turnout.observed()).shadow_of is None
            if report(turnout).sent <= 2 and not report(turnout).dropped:
                await tuned.request()
        assert report(turnout).dropped == {"upstream_busy": 2}
        tuned.will(reply("tuned"))
        forced = await turnout.post(CHAT, ask(), {"x-turnout-variant": "ft"})
        assert forced.status_code == 200
        assert {(await turnout.observed()).shadow_of is None for _ in range(3)} == {True, False}


async def test_an_upstream_that_is_ejected_gets_no_shadow_nor_a_trial_by_one(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    tuned.by_default = error_reply(500)
    two = {"eject_after": 1, "eject_seconds": 0.001, "eject_seconds_max": 0.001}
    async with serving(shadowed(base, tuned.port, two=two)) as turnout:
        await turnout.post(CHAT, ask(), {"x-turnout-variant": "ft"})
        await turnout.observed()
        await turnout.post(CHAT, ask())  # half-open by now, or soon
        await turnout.observed()
        assert report(turnout).dropped == {"upstream_ejected": 1}


async def test_a_worker_that_drains_begins_no_shadow(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    async with serving(shadowed(base, tuned.port)) as turnout:
        turnout.service.draining = True
        await turnout.post(CHAT, ask())
        await turnout.observed()
        assert report(turnout).dropped == {"draining": 1}


async def test_what_might_do_something_twice_is_not_asked_twice(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    async with serving(shadowed(base, tuned.port)) as turnout:
        body = {"model": "support", "input": "Hi", "conversation": "conv_1"}
        await turnout.post("/v1/responses", body)
        await turnout.observed()
        assert report(turnout).dropped == {"side_effects": 1}


async def test_at_the_end_shadows_are_cut_and_on_the_record(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    tuned.by_default = [head(headers=CHUNKED), chunk(chat_events("Hello")[1]), HANG]
    async with serving(shadowed(base, tuned.port)) as turnout:
        await turnout.post(CHAT, ask(stream=True))
        await turnout.observed()
        await tuned.request()
        await turnout.service.close()
        shadow = await turnout.observed()
        await tuned.all_closed()
    assert (shadow.outcome, shadow.error_code) == (
        Outcome.PROXY_ERROR,
        ErrorCode.POLICY_SHUTTING_DOWN,
    )


async def test_a_shadow_that_was_cut_before_it_began_is_on_the_record_too(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    async with serving(shadowed(base, tuned.port)) as turnout:
        await turnout.post(CHAT, ask())
        await turnout.service.close()
        served, shadow = await turnout.observed(), await turnout.observed()
        assert (served.shadow_of, shadow.shadow_of) == (None, served.request_id)
        assert turnout.counts.begun == 2


async def test_a_thousand_shadows_leave_nothing_behind(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    kinds: list[Steps] = [reply("tuned"), [HANG], [RESET], error_reply(500)]
    settings = shadowed(
        base, tuned.port, timeout=0.05, concurrency=100, two={"timeouts": Timeouts(total=1.0)}
    )
    async with serving(settings) as turnout:
        for turn in range(50):
            tuned.by_default = kinds[turn % len(kinds)]
            await asyncio.gather(*(turnout.post(CHAT, ask()) for _ in range(20)))
            seen = [await turnout.observed() for _ in range(40)]
            assert sum(each.shadow_of is not None for each in seen) == 20
        account = report(turnout)
        assert (account.sent, account.dropped) == (1000, {})
        assert turnout.counts.begun == 2000
        await turnout.client.aclose()
        await turnout.service.close()
        assert turnout.service.plane.upstreams["two"].report().open == 0
        assert [name for name in running("proxy/") if "shadow" in name] == []


def running(folder: str) -> list[str]:
    """Return the files whose code the tasks run."""
    tasks = [task.get_coro() for task in asyncio.all_tasks()]
    files = [coro.cr_code.co_filename for coro in tasks if isinstance(coro, CoroutineType)]
    return [name for name in files if folder in name]
