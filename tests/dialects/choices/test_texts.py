"""What is nothing but text is read quickly, and as it is when it is read for all it has."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.dialects.choices import read, read_text, read_texts
from proxy.dialects.wire.account import Account
from proxy.dialects.wire.meters import TOGETHER, WAITING, StreamMeter, WholeMeter
from proxy.exchange import Reading
from tests.dialects.recorded import RECORDED
from tests.dialects.recorded.forms import DONE, delta, openai, stream_of, tool

WHOLE = [recorded.body for recorded in RECORDED.values() if not recorded.stream]
USAGE = {"prompt_tokens": 1, "completion_tokens": 2}
MESSAGE_MEMBERS: list[dict[str, Any]] = [  # each makes more of a message than text, or less
    {"role": "assistant"},
    {"refusal": "No"},
    {"refusal": ""},
    {"tool_calls": tool(0, "{")},
    {"tool_calls": []},
    {"function_call": {"name": "f"}},
    {"reasoning_content": "Hm"},
    {"content": ""},
    {"content": None},
    {"content": 5},
    {"content": [{"type": "text", "text": "part"}]},
]
CHOICE_MEMBERS: list[dict[str, Any]] = [
    {"index": 1},
    {"index": None},
    {"error": "sorry"},
    {"text": "plain"},
    {"message": {"content": "whole"}},
    {"delta": {"content": "piece"}},
    {"delta": None},
    *(
        {"finish_reason": reason}
        for reason in ("stop", "length", "content_filter", "error", "", 5)
    ),
]
REPLY_MEMBERS: list[dict[str, Any]] = [
    *({"usage": usage} for usage in (USAGE, None, {}, 5, {"prompt_tokens": -1})),
    *({"error": error} for error in ("sorry", {"message": "sorry"}, {}, None)),
    *({"model": model} for model in ("another", "m" * 500, "", None, 5)),
    {"object": "error"},
    {"choices": []},
    {"choices": [delta(content="a"), delta(1, content="b")]},
]
NONE: st.SearchStrategy[dict[str, Any]] = st.just({})


def replies(kind: str) -> st.SearchStrategy[bytes]:
    """Draw replies of one text, now and then with members that make something else of them."""
    return st.builds(
        lambda said, inner, middle, outer: json.dumps(
            openai(choices=[{"index": 0, kind: {"content": said} | inner} | middle]) | outer
        ).encode(),
        st.text(min_size=1, max_size=4),
        NONE | NONE | st.sampled_from(MESSAGE_MEMBERS),
        NONE | NONE | st.sampled_from(CHOICE_MEMBERS),
        NONE | NONE | st.sampled_from(REPLY_MEMBERS),
    )


EVENTS = replies("delta").map(lambda event: b"data: " + event + b"\n\n")
NO_EVENTS = [
    *(DONE, b"", b"\n", b"\n\n", b": ping\n\n", b"data: {\n\n", b"data: \n\n", b"data:{}\n\n"),
    *(b"\xef\xbb\xbf", b"event: error\n", b'data: {"choices":[]}\r\n\r\n'),
    *(b'data: {"choices":[{"delta":\n\n', b'data: {"content":"x"}}]}\n\n'),
    b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n',
]
CHUNKS = st.one_of(
    EVENTS,
    EVENTS,
    EVENTS,
    st.lists(EVENTS, max_size=3).map(b"".join),
    EVENTS.map(lambda event: event[:-1]),
    st.sampled_from(NO_EVENTS),
)


def streamed(chunks: list[bytes], together: int, *, quick: bool) -> Reading:
    account = Account(keep_text=30, preview_chars=10)
    meter = StreamMeter(account, read, read_texts if quick else None, together)
    for at, chunk in enumerate(chunks):
        meter.feed(chunk, at)
    return meter.finish()


def whole(body: bytes, *, quick: bool) -> Reading:
    meter = WholeMeter(read, read_text if quick else None, keep_text=8, preview_chars=10)
    meter.feed(body, 0.0)
    return meter.finish()


@settings(max_examples=300, deadline=None)
@given(chunks=st.lists(CHUNKS, max_size=40), together=st.integers(2, 50))
def test_many_chunks_at_one_go_are_read_as_they_are_event_by_event(
    chunks: list[bytes], together: int
) -> None:
    assert streamed(chunks, together, quick=True) == streamed(chunks, 1, quick=False)


@settings(max_examples=500, deadline=None)
@given(replies("message") | st.sampled_from(WHOLE) | st.binary(max_size=10))
def test_a_whole_reply_is_read_quickly_as_it_is_for_all_it_has(body: bytes) -> None:
    assert whole(body, quick=True) == whole(body, quick=False)


def test_an_ordinary_reply_takes_the_quick_way() -> None:
    account = Account(keep_text=9, preview_chars=9)
    event = openai(choices=[delta(content="Hello")], usage=None)
    read_texts(account, [json.dumps(event).encode()] * 2)
    assert account.reading().text == "HelloHell"
    recorded = RECORDED["OpenAI: a whole reply"]
    assert read_text(recorded.body, 1000, 10) == recorded.reading


def test_of_many_events_those_before_one_that_is_more_than_text_are_read() -> None:
    account = Account(keep_text=99, preview_chars=9)
    said = json.dumps(openai(choices=[delta(content="Hello")])).encode()
    more = json.dumps(openai(choices=[delta(content="!", tool_calls=tool(0, "{"))])).encode()
    assert read_texts(account, [said, said, more, said]) == 2
    assert account.reading().text == "HelloHello"
    untouched = Account(keep_text=9, preview_chars=9)
    assert read_texts(untouched, [more, said]) == 0
    assert untouched == Account(keep_text=9, preview_chars=9)


def test_nothing_waits_to_be_read_but_a_few_small_chunks() -> None:
    for size in (1, 250, 3500):
        said = stream_of(openai(choices=[delta(content="x" * size)]), done=b"")
        account = Account(keep_text=0, preview_chars=0)
        meter = StreamMeter(account, read, read_texts)
        for count in range(1, 200):
            meter.feed(said, 0.0)
            waiting = count - account.output_events
            assert waiting < TOGETHER
            assert waiting * len(said) <= WAITING
        assert meter.finish().output_events == 199
