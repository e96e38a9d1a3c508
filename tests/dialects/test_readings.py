"""Every form of reply is read for what it says, however it is cut, and no bytes break a meter."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from proxy.dialects import DIALECTS, by_path
from proxy.dialects.wire.account import Account
from proxy.dialects.wire.meters import MAX_BODY, TOGETHER, StreamMeter
from proxy.dialects.wire.sse import MAX_EVENT
from proxy.exchange import Reading
from proxy.exchange.observation import Usage
from tests.dialects.chunks import cut, in_pieces, in_two
from tests.dialects.recorded import RECORDED
from tests.dialects.recorded.forms import (
    CHAT,
    COMPLETIONS,
    DONE,
    EMBEDDINGS,
    MESSAGES,
    RESPONSES,
    Recorded,
    delta,
    named,
    openai,
    stream_of,
    tool,
    whole,
)
from tests.dialects.recorded.openai_chat import MINI


def read(
    path: str,
    chunks: list[bytes],
    *,
    stream: bool = True,
    keep: int = 1000,
    preview: int = 10,
) -> Reading:
    """Return what is read of a reply, but for the times."""
    dialect = by_path(path)
    assert dialect is not None
    meter = dialect.meter(stream=stream, keep_text=keep, preview_chars=preview)
    for chunk in chunks:
        meter.feed(chunk, 0.0)
    return replace(meter.finish(), first_output_at=None, last_output_at=None)


@pytest.mark.parametrize("recorded", RECORDED.values(), ids=RECORDED)
def test_a_reply_is_read(recorded: Recorded) -> None:
    assert read(recorded.path, [recorded.body], stream=recorded.stream) == recorded.reading


@pytest.mark.parametrize("recorded", RECORDED.values(), ids=RECORDED)
def test_a_reply_is_read_the_same_cut_at_every_byte(recorded: Recorded) -> None:
    for chunks in in_two(recorded.body):
        assert read(recorded.path, chunks, stream=recorded.stream) == recorded.reading
    pieces = in_pieces(recorded.body, 1)
    assert read(recorded.path, pieces, stream=recorded.stream) == recorded.reading


STREAMS = {name: recorded for name, recorded in RECORDED.items() if recorded.stream}


@pytest.mark.parametrize("recorded", STREAMS.values(), ids=STREAMS)
def test_any_line_ends_are_read_the_same(recorded: Recorded) -> None:
    lines = recorded.body.replace(b"\r\n", b"\n")
    for end in (b"\r\n", b"\r"):
        body = b"\xef\xbb\xbf" + lines.replace(b"\n", end)
        assert read(recorded.path, [body]) == recorded.reading
        assert read(recorded.path, in_pieces(body, 1)) == recorded.reading


def timed(path: str, chunks: list[bytes], together: int = TOGETHER) -> Reading:
    """Return the reading of a stream whose chunks came at 0, 1, 2 ..."""
    dialect = by_path(path)
    assert dialect is not None
    account = Account(keep_text=1000, preview_chars=10)
    meter = StreamMeter(account, dialect.read_event, dialect.read_texts, together)
    for at, chunk in enumerate(chunks):
        meter.feed(chunk, at)
    return meter.finish()


@pytest.mark.parametrize("recorded", STREAMS.values(), ids=STREAMS)
def test_the_first_and_the_last_output_came_with_the_chunks_that_ended_their_events(
    recorded: Recorded,
) -> None:
    events = [event + b"\n\n" for event in recorded.body.replace(b"\r\n", b"\n").split(b"\n\n")]
    told = [read(recorded.path, events[:n]).output_events for n in range(len(events) + 1)]
    came = [n for n, (before, after) in enumerate(pairwise(told)) if after > before]
    reading = timed(recorded.path, events)
    assert reading.first_output_at == (came[0] if came else None)
    assert reading.last_output_at == (came[-1] if came else None)
    halves = [half for event in events for half in (event[:-1], event[-1:])]
    reading = timed(recorded.path, halves)
    assert reading.first_output_at == (2 * came[0] + 1 if came else None)


def test_the_first_delta_that_only_names_the_role_is_no_output() -> None:
    role = openai(choices=[delta(role="assistant", content="", refusal=None)])
    chunks = [role, openai(choices=[delta(content=" ")]), openai(choices=[delta(finish="stop")])]
    reading = timed(CHAT, [stream_of(chunk, done=b"") for chunk in chunks])
    assert (reading.first_output_at, reading.last_output_at) == (1, 1)


@pytest.mark.parametrize(
    "pieces",
    [
        {"reasoning_content": "Hm"},
        {"reasoning": "Hm"},
        {"refusal": "No"},
        {"audio": {"data": "UklGR"}},
        {"tool_calls": tool(0, "{")},
        {"function_call": {"name": "f", "arguments": ""}},
    ],
)
def test_whatever_a_model_puts_out_is_output(pieces: dict[str, Any]) -> None:
    assert read(CHAT, [stream_of(openai(choices=[delta(**pieces)]))]).output_events == 1


def test_a_whole_reply_has_no_first_output() -> None:
    dialect = by_path(CHAT)
    assert dialect is not None
    meter = dialect.meter(stream=False, keep_text=9, preview_chars=9)
    meter.feed(RECORDED["OpenAI: a whole reply"].body, 0.0)
    reading = meter.finish()
    assert (reading.first_output_at, reading.last_output_at) == (None, None)


def test_a_stream_is_finished_only_when_it_says_so() -> None:
    said = openai(choices=[delta(content="Hello", finish="stop")])
    assert not read(CHAT, [stream_of(said, done=b"")]).finished
    assert read(CHAT, [stream_of(said)]).finished
    assert read(CHAT, [stream_of(said, done=b"data:[DONE]\n\n")]).finished
    assert read(CHAT, [stream_of(said, done=b"data: [DONE]")]).finished


def test_a_last_event_without_its_end_is_read_where_it_can_be() -> None:
    last = stream_of(openai(choices=[], usage=OPENAI), done=b"")
    assert read(CHAT, [last.removesuffix(b"\n\n")]).usage == Usage(1, 2)
    broken = read(CHAT, [last[:-10]])
    assert broken.usage is None
    assert broken.malformed_events == 0


OPENAI = {"prompt_tokens": 1, "completion_tokens": 2}


def test_what_comes_after_the_end_is_ignored_and_counted() -> None:
    said = openai(choices=[delta(content="Hello")])
    after = stream_of(openai(choices=[delta(content="again")], usage=OPENAI))
    reading = read(CHAT, [stream_of(said) + after + b"data: x\n\n"])
    assert (reading.text, reading.usage, reading.malformed_events) == ("Hello", None, 2)
    reading = read(MESSAGES, [named({"type": "message_stop"}, {"type": "ping"}) + DONE])
    assert reading.malformed_events == 1


@pytest.mark.parametrize(
    "event",
    [
        b"{",
        b"hello",
        b"[1]",
        b"1",
        b'"text"',
        b"null",
        b'{"choices":1}',
        b'{"choices":[1]}',
        b'{"choices":[{"delta":{"content":5}}]}',
        b'{"model":"\xff"}',
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"{" * 100_000,
        b'{"choices":[{"delta":{"content":"\\ud800',
    ],
)
@pytest.mark.parametrize("path", [CHAT, COMPLETIONS])
def test_an_event_that_can_not_be_read_is_counted_and_the_rest_is_read(
    path: str, event: bytes
) -> None:
    good = stream_of(openai(choices=[delta(content="Hello")]), done=b"")
    reading = read(path, [good + b"data: " + event + b"\n\n" + good + DONE])
    assert reading.malformed_events == 1
    assert reading.text == "HelloHello"
    assert reading.finished


def test_an_event_too_large_to_keep_is_counted() -> None:
    good = stream_of(openai(choices=[delta(content="Hello")]), done=b"")
    huge = b"data: " + b"x" * MAX_EVENT + b"\n\n"
    reading = read(CHAT, in_pieces(good + huge + good + DONE, 1 << 16))
    assert (reading.text, reading.malformed_events) == ("HelloHello", 1)


def test_a_last_event_that_carries_pictures_is_read() -> None:
    response = {
        "status": "completed",
        "output": [{"type": "image_generation_call", "result": "A" * 10_000_000}],
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    last = named({"type": "response.completed", "response": response})
    reading = read(RESPONSES, in_pieces(last, 1 << 16))
    assert (reading.usage, reading.finished, reading.malformed_events) == (Usage(1, 2), True, 0)


def test_an_event_too_large_to_read_may_have_said_the_end() -> None:
    said = stream_of(openai(choices=[delta(content="Hello")]), done=b"")
    assert not read(CHAT, [said]).finished
    assert read(CHAT, [said, b"data: " + b"x" * MAX_EVENT + b"\n\n"]).finished


def test_a_surrogate_pair_split_between_events_breaks_nothing() -> None:
    halves = (
        rb'data: {"choices":[{"index":0,"delta":{"content":"a\\\ud83d"}}]}' + b"\n\n",
        rb'data: {"choices":[{"index":0,"delta":{"content":"\ude00\ud83d\ude00\u00e9"}}]}',
    )
    reading = read(CHAT, [b"".join(halves) + b"\n\n" + DONE])
    assert reading.text == "a\\\ufffd\ufffd😀é"
    assert reading.malformed_events == 0
    body = rb'{"choices":[{"message":{"content":"\ud83d!"}}]}'
    assert read(CHAT, [body], stream=False).text == "\ufffd!"


def test_a_whole_body_that_is_no_json_is_no_reply_in_text() -> None:
    for body in (b"", b"<html>Bad Gateway</html>", b"\xff", rb'{"model":"\ud800'):
        reading = read(CHAT, [body], stream=False)
        assert (reading.reply_chars, reading.malformed_events) == (None, 1)


def test_a_reply_without_any_choice_is_an_empty_one() -> None:
    assert read(CHAT, [b'{"detail":"odd"}'], stream=False).reply_chars == 0
    assert read(CHAT, [DONE]).reply_chars == 0
    assert read(RESPONSES, [b'{"status":"completed"}'], stream=False).reply_chars == 0


def test_a_spoken_reply_has_the_words_of_its_transcript() -> None:
    spoken = (
        b'{"choices":[{"message":{"content":null,"audio":{"data":"UklG","transcript":"Yes."}}}]}'
    )
    reading = read(CHAT, [spoken], stream=False)
    assert (reading.text, reading.reply_chars) == ("Yes.", 4)
    pieces = [
        b'data: {"choices":[{"delta":{"content":null,"audio":{"id":"a","transcript":"Y"}}}]}\n\n',
        b'data: {"choices":[{"delta":{"audio":{"transcript":"es."}}}]}\n\n',
        b'data: {"choices":[{"delta":{"audio":{"data":"UklG"}}}]}\n\n',
    ]
    reading = read(CHAT, [*pieces, DONE])
    assert (reading.text, reading.reply_chars, reading.output_events) == ("Yes.", 4, 3)


def test_a_spoken_reply_without_one_is_no_reply_in_text() -> None:
    silent = b'{"data":"UklG","transcript":""}'
    for audio in (b'{"data":"UklG"}', b'{"transcript":7}', b'"UklG"', silent):
        spoken = b'{"choices":[{"message":{"audio":%b}}]}' % audio
        assert read(CHAT, [spoken], stream=False).reply_chars is None


def test_of_a_body_too_large_to_keep_nothing_is_read() -> None:
    dialect = by_path(CHAT)
    assert dialect is not None
    meter = dialect.meter(stream=False, keep_text=10, preview_chars=10)
    for _ in range(MAX_BODY // (1 << 20) + 2):
        meter.feed(b" " * (1 << 20), 0.0)
    assert meter.finish() == Reading(text="")


def test_no_more_text_is_kept_than_was_asked_for() -> None:
    chunk = stream_of(
        openai(choices=[delta(0, content="abc"), delta(1, tool_calls=tool(0, "de"))]), done=b""
    )
    reading = read(CHAT, [chunk] * 100, keep=10, preview=4)
    assert reading.text == "abcabcdede"
    assert reading.preview == "abca"
    assert reading.reply_chars == 0
    nothing = read(CHAT, [chunk], keep=0, preview=0)
    assert (nothing.text, nothing.preview, nothing.reply_chars) == ("", "", 0)


def test_many_small_pieces_are_kept_whole() -> None:
    chunks = [stream_of(openai(choices=[delta(content=f"{n} ")]), done=b"") for n in range(500)]
    reading = read(CHAT, chunks, keep=10_000)
    assert reading.text == "".join(f"{n} " for n in range(500))
    assert reading.reply_chars == len(reading.text)


def test_floods_of_choices_and_calls_stay_bounded() -> None:
    choices = [
        delta(n, content="x", tool_calls=tool(n, "", name="f", id=str(n))) for n in range(3000)
    ]
    reading = read(CHAT, [stream_of(openai(choices=choices))], keep=5000)
    assert reading.reply_chars == 1
    assert reading.tool_calls == 3000


def test_the_same_call_under_the_same_id_is_one_call() -> None:
    pieces = [delta(tool_calls=tool(0, "{", name="f", id="a")) for _ in range(3)]
    reading = read(CHAT, [stream_of(*(openai(choices=[piece]) for piece in pieces))])
    assert reading.tool_calls == 1


def test_what_the_upstream_says_at_length_is_cut() -> None:
    body = whole(model="m" * 5000, choices=[{"message": {}, "finish_reason": "r" * 5000}])
    reading = read(CHAT, [body], stream=False)
    assert len(reading.model or "") == 200
    assert len(reading.finish_reason or "") == 64


@pytest.mark.parametrize(
    "usage",
    [
        {},
        [],
        5,
        "x",
        {"prompt_tokens": -1},
        {"prompt_tokens": "1"},
        {"prompt_tokens": 2**60},
        {"prompt_tokens": None},
        {"input_tokens": -1},
        {"prompt_tokens": 1, "prompt_tokens_details": 5},
        {"input_tokens": 1, "input_tokens_details": 5, "cache_read_input_tokens": "x"},
    ],
)
@pytest.mark.parametrize("path", [CHAT, COMPLETIONS, EMBEDDINGS, RESPONSES, MESSAGES])
def test_a_usage_that_makes_no_sense_is_unknown_and_costs_nothing_else(
    path: str, usage: Any
) -> None:
    reading = read(path, [whole(model=MINI, usage=usage)], stream=False)
    assert reading.usage is None
    assert (reading.model, reading.malformed_events) == (MINI, 0)


def test_zero_tokens_are_not_unknown() -> None:
    usage = {
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    assert read(CHAT, [whole(usage=usage)], stream=False).usage == Usage(0, 0, 0, 0)


def test_a_usage_in_a_chunk_with_choices_counts() -> None:
    said = openai(choices=[delta(content="a", finish="stop")], usage=OPENAI)
    reading = read(CHAT, [stream_of(said)])
    assert (reading.usage, reading.text) == (Usage(1, 2), "a")


def test_anthropics_last_usage_corrects_the_first() -> None:
    events = named(
        {"type": "message_start", "message": {"usage": {"input_tokens": 0, "output_tokens": 0}}},
        {"type": "message_delta", "usage": {"input_tokens": 7, "output_tokens": 2}},
    )
    assert read(MESSAGES, [events]).usage == Usage(7, 2)


def test_an_error_event_is_an_error_whatever_its_data() -> None:
    for path in (CHAT, RESPONSES, MESSAGES):
        reading = read(path, [b"event: error\ndata: sorry\n\n"])
        assert reading.error
        assert reading.reply_chars is None


@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES, EMBEDDINGS])
def test_no_error_is_none(path: str) -> None:
    assert not read(path, [b'{"error":null}'], stream=False).error


PATHS = st.sampled_from([dialect.path for dialect in DIALECTS])
WORDS = st.sampled_from(
    [
        "type",
        "choices",
        "delta",
        "message",
        "content",
        "usage",
        "error",
        "text",
        "response",
        "item",
        "output",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "index",
        "status",
        "content_block",
        "input",
        "output_tokens",
        "prompt_tokens",
        "finish_reason",
        "model",
        "response.completed",
        "response.output_text.delta",
        "message_start",
        "tool_use",
    ]
)
SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)
PIECES = st.one_of(
    st.binary(max_size=20),
    SHAPES.map(lambda shape: b"data: " + json.dumps(shape).encode() + b"\n\n"),
    st.sampled_from([recorded.body for recorded in RECORDED.values()]),
    st.sampled_from([DONE, b"event: error\n", b"\n\n", b"data: ", b"\r", b"\\ud800"]),
)


@settings(max_examples=200, deadline=None)
@given(
    path=PATHS,
    stream=st.booleans(),
    body=st.lists(PIECES, max_size=4).map(b"".join),
    data=st.data(),
)
def test_no_bytes_make_a_meter_fail_and_no_chunking_changes_what_it_reads(
    path: str,
    stream: bool,  # noqa: FBT001  # drawn, not passed
    body: bytes,
    data: st.DataObject,
) -> None:
    reading = read(path, [body], stream=stream, keep=50)
    assert read(path, data.draw(cut(body)), stream=stream, keep=50) == reading
    assert len(reading.text or "") <= 50
