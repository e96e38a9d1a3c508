"""A shadow repeats a request to one variant more, and its client never notices."""

import asyncio
import hashlib
from types import CoroutineType
from typing import Any

import pytest

from proxy.config.settings import ClientKey, Timeouts
from proxy.exchange import ErrorCode, Outcome
from tests.support.data_plane import serving
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
    stream_reply,
)
from tests.support.shadowed import CHAT, ask, pair, reply, report, shadowed

CHUNKED = [("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked")]


# What a shadow is.


async def test_a_shadow_gets_the_request_as_its_variant_wants_it(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    async with serving(shadowed(base.port, tuned.port)) as turnout:
        await pair(turnout, ask(temperature=0.1))
    assert (await base.request()).json()["model"] == "gpt-base"
    seen = await tuned.request()
    assert seen.json() == {**ask(temperature=0.1), "model": "ft-model"}
    assert seen.target == CHAT


async def test_the_record_of_a_shadow_names_the_request_it_follows(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    async with serving(shadowed(base.port, tuned.port)) as turnout:
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
    async with serving(shadowed(base.port, tuned.port)) as turnout:
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
    async with serving(shadowed(base.port, tuned.port)) as turnout:
        _, shadow = await pair(turnout, ask(stream=True))
    assert shadow.texts is not None
    assert shadow.texts.reply == "Hello you"


async def test_a_stream_that_breaks_is_as_broken_as_it_would_be_for_a_client(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    tuned.by_default = [head(headers=CHUNKED), chunk(chat_events("Hello")[1]), RESET]
    async with serving(shadowed(base.port, tuned.port)) as turnout:
        _, shadow = await pair(turnout, ask(stream=True))
    assert (shadow.outcome, shadow.status) == (Outcome.UPSTREAM_CUT, 200)


async def test_an_error_inside_a_good_reply_is_one(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    tuned.by_default = json_reply({"error": {"message": "out of memory"}})
    async with serving(shadowed(base.port, tuned.port)) as turnout:
        _, shadow = await pair(turnout)
    assert (shadow.outcome, shadow.status) == (Outcome.UPSTREAM_ERROR, 200)
    assert shadow.error_code is ErrorCode.PROVIDER_IN_BAND_ERROR


# What a client has of it: nothing.


async def test_nothing_is_sent_before_the_client_has_its_reply(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    gate = asyncio.Event()
    events = chat_events("Hello", usage=True)
    base.by_default = [head(headers=CHUNKED), chunk(events[0]), gate]
    base.by_default += [chunk(b"".join(events[1:])), b"0\r\n\r\n"]
    async with serving(shadowed(base.port, tuned.port)) as turnout:
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
    async with serving(shadowed(base.port, tuned.port, timeout=0.2)) as turnout:
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
        async with serving(shadowed(base.port, port, two={"retries": 2})) as turnout:
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
    async with serving(shadowed(base.port, tuned.port, two=two)) as turnout:
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
    async with serving(shadowed(base.port, tuned.port)) as turnout:
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
    async with serving(shadowed(base.port, tuned.port)) as turnout:
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
    async with serving(shadowed(base.port, tuned.port, two={"api_key": "ours"})) as turnout:
        _, shadow = await pair(turnout)
    assert (await tuned.request()).header("authorization") == "Bearer ours"
    assert (shadow.outcome, shadow.status) == (Outcome.UPSTREAM_ERROR, 401)


async def test_no_client_key_pays_for_a_shadow(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    digest = hashlib.sha256(b"theirs").hexdigest()
    key = ClientKey(name="app", sha256=digest, slot=0, tokens_per_minute=1000)
    async with serving(shadowed(base.port, tuned.port, keys=(key,))) as turnout:
        await turnout.post(CHAT, ask(), {"authorization": "Bearer theirs"})
        served, shadow = await turnout.observed(), await turnout.observed()
        assert (served.key_name, shadow.key_name) == ("app", None)
        assert (turnout.counts.requests(0, 0), turnout.counts.tokens(0, 0)) == (1, 16)


async def test_a_bug_ends_one_shadow_and_is_told(
    base: ScriptedUpstream, tuned: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise LookupError("a bug")

    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    monkeypatch.setattr("proxy.dataplane.shadow.repeat.relay", broken)
    async with serving(shadowed(base.port, tuned.port)) as turnout:
        _, shadow = await pair(turnout)
    assert shadow.error_code is ErrorCode.INTERNAL_UNKNOWN
    (context,) = told
    assert shadow.request_id in context["message"]


# What is left of it: nothing.


async def test_a_thousand_shadows_leave_nothing_behind(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    kinds: list[Steps] = [reply("tuned"), [HANG], [RESET], error_reply(500)]
    settings = shadowed(
        base.port, tuned.port, timeout=0.05, concurrency=100, two={"timeouts": Timeouts(total=1.0)}
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
