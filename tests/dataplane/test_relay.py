"""A reply passes byte for byte as it comes, is metered on the way, and never ends well falsely."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from proxy.config.settings import DataPlane, Deadlines, Limits, Timeouts
from proxy.dataplane.relay import FORM_BYTES, UNREAD_FORM
from proxy.exchange import ErrorCode, Outcome, Texts
from proxy.routing import Route
from tests.support.data_plane import serving, settings_of, upstream, variant
from tests.support.scripted_upstream import (
    FIN,
    HALF_CLOSE,
    HANG,
    RESET,
    Act,
    ScriptedUpstream,
    chat_events,
    chunk,
    cut,
    event,
    head,
    plain_reply,
    recut,
    scripted_upstream,
    stream_reply,
)

CHAT = "/v1/chat/completions"
SSE = [("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked")]


@pytest.fixture
async def model() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        yield server


def settings(model: ScriptedUpstream, **changes: Any) -> DataPlane:
    one = {name: changes.pop(name) for name in ("timeouts", "ask_usage") if name in changes}
    route = Route(name="support", variants=(variant("base", "one"),), weights=(1.0,))
    return settings_of(route, upstreams=[upstream("one", model.port, **one)], **changes)


def ask(*, stream: bool = True, **more: Any) -> dict[str, object]:
    messages = [{"role": "user", "content": "Hi"}]
    return {"model": "support", "stream": stream, "messages": messages, **more}


WITH_USAGE: dict[str, Any] = {"stream_options": {"include_usage": True}}


async def test_a_stream_that_began_well_lets_others_in_again(model: ScriptedUpstream) -> None:
    one = upstream("one", model.port, eject_after=1, eject_seconds=0.0)
    route = Route(name="support", variants=(variant("base", "one"),), weights=(1.0,))
    model.will(plain_reply(b"", status=500), [head(headers=SSE), chunk(event({})), HANG])
    async with serving(settings_of(route, upstreams=[one])) as turnout:
        await turnout.post(CHAT, ask(stream=False))
        assert turnout.service.plane.upstreams["one"].report().ejected
        async with turnout.client.stream("POST", CHAT, json=ask()):
            assert (await turnout.post(CHAT, ask(stream=False))).status_code == 200
        for _ in range(3):
            await turnout.observed()


def reply_bytes(body: bytes) -> bytes:
    return joined([step for step in plain_reply(body) if isinstance(step, bytes)])


def joined(events: Iterable[bytes]) -> bytes:
    return b"".join(events)


async def test_a_stream_arrives_event_by_event_while_the_upstream_still_writes(
    model: ScriptedUpstream,
) -> None:
    first, second = event({"choices": []}), b"data: [DONE]\n\n"
    go_on = asyncio.Event()
    model.by_default = [head(headers=SSE), chunk(first), go_on, chunk(second), b"0\r\n\r\n"]
    async with serving(settings(model)) as turnout:
        async with turnout.client.stream("POST", CHAT, json=ask(**WITH_USAGE)) as reply:
            pieces = reply.aiter_raw()
            assert await anext(pieces) == first
            go_on.set()
            assert await anext(pieces) == second
        await turnout.observed()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100_000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
async def test_a_stream_is_byte_exact_and_metered_alike_however_it_is_cut(
    model: ScriptedUpstream, size: int, end: bytes
) -> None:
    events = chat_events("Grüße", " aus", " 東京", " 🎉", usage=True, end=end)
    model.by_default = stream_reply(*recut(events, size))
    async with serving(settings(model)) as turnout:
        reply = await turnout.post(CHAT, ask(**WITH_USAGE))
        seen = await turnout.observed()
    assert reply.content == joined(events)
    assert seen.outcome is Outcome.COMPLETED
    assert seen.response_preview == "Grüße aus 東京 🎉"
    assert (seen.usage.prompt_tokens, seen.usage.response_tokens) == (7, 4)
    assert seen.finish_reason == "stop"
    assert seen.ttft_ms is not None
    assert seen.ttft_ms <= seen.latency_ms


async def test_every_reply_is_byte_exact_wherever_it_is_cut(model: ScriptedUpstream) -> None:
    body = '{"id":"x","choices":[{"message":{"content":"Grüße 🎉"}}],"new":1e400}\n'.encode()
    whole = reply_bytes(body)
    async with serving(settings(model)) as turnout:
        for at in range(1, len(whole)):
            model.will([whole[:at], whole[at:]])
            reply = await turnout.post(CHAT, ask(stream=False))
            assert reply.content == body
            await turnout.observed()


async def test_usage_is_asked_for_where_the_client_did_not_and_taken_out_again(
    model: ScriptedUpstream,
) -> None:
    model.by_default = stream_reply(*chat_events("Hello", usage=True))
    async with serving(settings(model)) as turnout:
        reply = await turnout.post(CHAT, ask())
        seen = await turnout.observed()
    assert (await model.request()).json()["stream_options"] == {"include_usage": True}
    assert reply.content == joined(chat_events("Hello"))
    assert (seen.usage.prompt_tokens, seen.tokens_source) == (7, "upstream")


async def test_an_upstream_that_may_not_be_asked_for_usage_is_not(
    model: ScriptedUpstream,
) -> None:
    model.by_default = stream_reply(*chat_events("Hello"))
    async with serving(settings(model, ask_usage=False)) as turnout:
        await turnout.post(CHAT, ask())
        seen = await turnout.observed()
    assert "stream_options" not in (await model.request()).json()
    assert seen.tokens_source == "none"
    assert seen.texts is not None
    assert seen.texts.reply == "Hello"


@pytest.mark.parametrize(
    ("count", "judge", "texts"),
    [
        (False, False, None),
        (False, True, (False, "Hello")),
        (True, False, (True, "Hello")),
        (True, True, (True, "Hello")),
    ],
)
async def test_the_words_go_along_only_where_tokens_are_counted_or_replies_judged(
    model: ScriptedUpstream,
    count: bool,  # noqa: FBT001  # a table's column
    judge: bool,  # noqa: FBT001  # same
    texts: tuple[bool, str] | None,
) -> None:
    model.by_default = stream_reply(*chat_events("Hello"))
    plane = settings(model, count_tokens=count, judge_replies=judge)
    async with serving(plane) as turnout:
        await turnout.post(CHAT, ask())
        seen = (await turnout.observed()).texts
    assert (seen and (bool(seen.prompt), seen.reply)) == texts


async def test_where_tokens_are_known_only_the_replys_words_go_along(
    model: ScriptedUpstream,
) -> None:
    model.by_default = stream_reply(*chat_events("Hello", usage=True))
    async with serving(settings(model)) as turnout:
        await turnout.post(CHAT, ask(max_tokens=20))
        seen = await turnout.observed()
    assert seen.texts == Texts(b"", "Hello")
    assert seen.max_tokens == 20


async def test_the_form_that_a_request_asks_for_goes_along_unless_it_is_huge(
    model: ScriptedUpstream,
) -> None:
    model.by_default = stream_reply(*chat_events("Hello"))
    async with serving(settings(model)) as turnout:
        await turnout.post(CHAT, ask(response_format={"type": "json_object"}))
        asked = (await turnout.observed()).texts
        await turnout.post(CHAT, ask(response_format={"type": "x" * FORM_BYTES}))
        huge = (await turnout.observed()).texts
    assert asked is not None
    assert json.loads(asked.form) == {"type": "json_object"}
    assert huge is not None
    assert huge.form == UNREAD_FORM


BREAKS = [
    pytest.param(FIN, None, ErrorCode.PROVIDER_CUT, Outcome.UPSTREAM_CUT, id="fin"),
    pytest.param(RESET, None, ErrorCode.PROVIDER_CUT, Outcome.UPSTREAM_CUT, id="reset"),
    pytest.param(HALF_CLOSE, None, ErrorCode.PROVIDER_CUT, Outcome.UPSTREAM_CUT, id="half-close"),
    pytest.param(
        HANG,
        Timeouts(between_bytes=0.3),
        ErrorCode.PROVIDER_IDLE_TIMEOUT,
        Outcome.UPSTREAM_TIMEOUT,
        id="hang",
    ),
]


@pytest.mark.parametrize(("act", "timeouts", "code", "outcome"), BREAKS)
async def test_a_stream_that_breaks_says_so_and_has_no_end(
    model: ScriptedUpstream,
    act: Act,
    timeouts: Timeouts | None,
    code: ErrorCode,
    outcome: Outcome,
) -> None:
    good = chat_events("Hello")[:2]
    model.by_default = [head(headers=SSE), *map(chunk, good), act]
    async with serving(settings(model, timeouts=timeouts or Timeouts())) as turnout:
        reader, writer = await turnout.connect()
        writer.write(raw_request(ask(**WITH_USAGE)))
        received = await reader.read()
        writer.close()
        seen = await turnout.observed()
    assert joined(map(chunk, good)) in received or joined(good) in received
    assert b'data: {"error"' in received
    assert code.encode() in received
    assert b"[DONE]" not in received
    assert not received.endswith(b"0\r\n\r\n")
    assert (seen.outcome, seen.error_code, seen.status) == (outcome, code, 200)
    assert seen.finish_reason is None
    assert len(model.requests) == 1, "no retry after the first byte"


@pytest.mark.parametrize("whole", [False, True])
async def test_a_stream_that_only_the_connections_end_ends_must_have_said_its_own(
    model: ScriptedUpstream, *, whole: bool
) -> None:
    events = chat_events("Hello")
    model.by_default = stream_reply(*(events if whole else events[:2]), chunked=False)
    async with serving(settings(model)) as turnout:
        reader, writer = await turnout.connect()
        writer.write(raw_request(ask(**WITH_USAGE)))
        received = await reader.readuntil(b"0\r\n\r\n") if whole else await reader.read()
        writer.close()
        seen = await turnout.observed()
    assert (seen.outcome is Outcome.COMPLETED) is whole
    assert (b"provider_cut" in received) is not whole
    assert (b"[DONE]" in received) is whole


async def test_a_stream_without_its_finish_passes_unchanged_and_is_no_success(
    model: ScriptedUpstream,
) -> None:
    events = chat_events("Hello")[:2]
    model.by_default = stream_reply(*events)
    async with serving(settings(model)) as turnout:
        reply = await turnout.post(CHAT, ask(**WITH_USAGE))
        seen = await turnout.observed()
    assert reply.content == joined(events)
    assert (seen.outcome, seen.error_code) == (Outcome.UPSTREAM_CUT, ErrorCode.PROVIDER_CUT)


async def test_a_plain_reply_that_breaks_is_visibly_short(model: ScriptedUpstream) -> None:
    model.by_default = cut(plain_reply(b'{"choices": []}' * 10), 120, FIN)
    async with serving(settings(model)) as turnout:
        reader, writer = await turnout.connect()
        writer.write(raw_request(ask(stream=False)))
        received = await reader.read()
        writer.close()
        seen = await turnout.observed()
    announced, _, body = received.partition(b"\r\n\r\n")
    assert b"content-length: 150" in announced.lower()
    assert 0 < len(body) < 150
    assert seen.outcome is Outcome.UPSTREAM_CUT


async def test_a_reply_that_breaks_before_its_body_is_an_error_of_its_own(
    model: ScriptedUpstream,
) -> None:
    model.by_default = [head(headers=[("Content-Length", "10")]), FIN]
    async with serving(settings(model)) as turnout:
        reply = await turnout.post(CHAT, ask(stream=False))
        seen = await turnout.observed()
    assert (reply.status_code, seen.error_code) == (502, ErrorCode.PROVIDER_CUT)


@pytest.mark.parametrize(
    "garbage", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", b"\x00" * 64]
)
async def test_a_reply_that_is_no_http_is_502(model: ScriptedUpstream, garbage: bytes) -> None:
    model.by_default = [garbage, FIN]
    async with serving(settings(model)) as turnout:
        reply = await turnout.post(CHAT, ask())
        seen = await turnout.observed()
    assert (reply.status_code, seen.error_code) == (502, ErrorCode.PROVIDER_BAD_REPLY)


async def test_an_error_inside_a_stream_that_began_with_200_is_on_the_record(
    model: ScriptedUpstream,
) -> None:
    events = [*chat_events("Hello")[:2], event({"error": {"message": "out of memory"}})]
    model.by_default = stream_reply(*events)
    async with serving(settings(model)) as turnout:
        reply = await turnout.post(CHAT, ask(**WITH_USAGE))
        seen = await turnout.observed()
    assert reply.content == joined(events)
    assert (seen.outcome, seen.error_code) == (
        Outcome.UPSTREAM_ERROR,
        ErrorCode.PROVIDER_IN_BAND_ERROR,
    )
    assert seen.in_band_error


async def test_events_that_make_no_sense_pass_and_are_counted(model: ScriptedUpstream) -> None:
    events = [*chat_events("Hello"), b"data: after the end\n\n"]
    events.insert(1, b"data: {not json\n\n")
    model.by_default = stream_reply(*events)
    async with serving(settings(model)) as turnout:
        reply = await turnout.post(CHAT, ask(**WITH_USAGE))
        seen = await turnout.observed()
    assert reply.content == joined(events)
    assert seen.outcome is Outcome.COMPLETED
    assert seen.malformed_events == 2


async def test_an_event_of_ten_megabytes_passes_whole(model: ScriptedUpstream) -> None:
    events = [b"data: " + b"x" * 10_000_000 + b"\n\n", *chat_events("Hello")]
    model.by_default = stream_reply(*events)
    async with serving(settings(model)) as turnout:
        reply = await turnout.post(CHAT, ask())
        await turnout.observed()
    assert reply.content == joined(events)


async def test_a_compressed_reply_passes_undecoded_though_identity_was_asked_for(
    model: ScriptedUpstream,
) -> None:
    packed = b"\x1f\x8b\x08 not really gzip"
    model.by_default = plain_reply(packed, headers=[("Content-Encoding", "gzip")])
    async with serving(settings(model)) as turnout:
        async with turnout.client.stream("POST", CHAT, json=ask(stream=False)) as reply:
            received = [piece async for piece in reply.aiter_raw()]
        seen = await turnout.observed()
    assert (await model.request()).header("accept-encoding") == "identity"
    assert joined(received) == packed
    assert (seen.outcome, seen.tokens_source) == (Outcome.COMPLETED, "none")


async def test_headers_between_hops_do_not_pass_and_all_others_do(
    model: ScriptedUpstream,
) -> None:
    model.by_default = plain_reply(
        b"{}",
        headers=[
            ("Connection", "keep-alive, X-Private"),
            ("X-Private", "1"),
            ("Keep-Alive", "timeout=5"),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("openai-processing-ms", "12"),
            ("x-turnout-variant", "spoofed"),
        ],
    )
    async with serving(settings(model)) as turnout:
        reply = await turnout.client.post(
            CHAT,
            json=ask(stream=False),
            headers={
                "connection": "x-hop",
                "x-hop": "1",
                "x-forwarded-for": "6.6.6.6",
                "x-app": "shop",
                "authorization": "Bearer of-the-client",
            },
        )
        await turnout.observed()
    sent = await model.request()
    assert sent.header("x-hop") is None
    assert sent.header("x-forwarded-for") is None
    assert sent.header("x-app") == "shop"
    assert sent.header("authorization") == "Bearer of-the-client"
    assert sent.header("host") == f"127.0.0.1:{model.port}"
    assert reply.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert reply.headers["openai-processing-ms"] == "12"
    assert reply.headers["x-turnout-variant"] == "base"
    assert "x-private" not in reply.headers
    assert "keep-alive" not in reply.headers


async def test_a_slow_reader_holds_the_upstream_back_and_memory_stays_bounded(
    model: ScriptedUpstream,
) -> None:
    piece = b"data: " + b"x" * 65_000 + b"\n\n"
    total = 400  # about 26 MB: far more than all buffers on the way
    model.by_default = stream_reply(*[piece] * total, b"data: [DONE]\n\n")
    limits = Limits(buffer_bytes=64 * 1024)
    async with serving(settings(model, limits=limits)) as turnout:
        reader, writer = await turnout.connect()
        writer.write(raw_request(ask(**WITH_USAGE)))
        await reader.readuntil(b"\r\n\r\n")
        await model.request()
        stalled = await written_until_it_stalls(model)
        assert stalled < total * len(piece) / 2
        rest = 0
        while not (data := await reader.read(1 << 20)).endswith(b"0\r\n\r\n"):
            rest += len(data)
        assert rest > total * len(piece) * 0.95
        writer.close()
        assert (await turnout.observed()).outcome is Outcome.COMPLETED


async def written_until_it_stalls(model: ScriptedUpstream) -> int:
    connection = model.connections[0]
    async with asyncio.timeout(10):
        await connection.stalled.wait()
    return connection.written


async def test_a_client_that_takes_nothing_is_cut_at_the_send_deadline(
    model: ScriptedUpstream,
) -> None:
    model.by_default = stream_reply(*[b"data: " + b"x" * 65_000 + b"\n\n"] * 400)
    changes = {"deadlines": Deadlines(send=0.5), "limits": Limits(buffer_bytes=64 * 1024)}
    async with serving(settings(model, **changes)) as turnout:
        reader, writer = await turnout.connect()
        writer.write(raw_request(ask(**WITH_USAGE)))
        await reader.readuntil(b"\r\n\r\n")
        assert (await turnout.observed()).outcome is Outcome.CLIENT_GONE
        await model.all_closed()
        writer.close()


def raw_request(body: object) -> bytes:
    encoded = json.dumps(body).encode()
    lines = b"POST %s HTTP/1.1\r\nHost: turnout\r\nContent-Length: %d\r\n\r\n"
    return lines % (CHAT.encode(), len(encoded)) + encoded
