"""Events are found as the WHATWG's grammar has them, the same for any chunking."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.dialects.wire.sse import MAX_EVENT, Event, Events
from tests.dialects.chunks import cut, in_pieces, in_two


def found(chunks: list[bytes], limit: int = MAX_EVENT) -> tuple[list[Event], int]:
    events = Events(limit)
    seen = [event for chunk in chunks for event in events.feed(chunk)]
    return [*seen, *events.flush()], events.oversized


def data(*pieces: bytes) -> list[Event]:
    return [(b"", piece) for piece in pieces]


GRAMMAR = {
    "one event": (b"data: a\n\n", data(b"a")),
    "two events": (b"data: a\n\ndata: b\n\n", data(b"a", b"b")),
    "many blank lines": (b"\n\n\ndata: a\n\n\n\n\ndata: b\n\n\n", data(b"a", b"b")),
    "CRLF": (b"data: a\r\n\r\ndata: b\r\n\r\n", data(b"a", b"b")),
    "CR": (b"data: a\r\rdata: b\r\r", data(b"a", b"b")),
    "all line ends mixed": (b"data: a\r\n\rdata: b\n\r\ndata: c\r\n\n", data(b"a", b"b", b"c")),
    "a BOM": (b"\xef\xbb\xbfdata: a\n\n", data(b"a")),
    "a second BOM is no field": (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", data(b"b")),
    "half a BOM": (b"\xef\xbbdata: a\n\ndata: b\n\n", data(b"b")),
    "comments": (b": hello\n\n:\ndata: a\n: there\n\n", data(b"a")),
    "many data lines": (b"data: a\ndata: b\ndata\ndata:c\n\n", data(b"a\nb\n\nc")),
    "only one space is taken off": (b"data:  a\n\ndata:b\n\n", data(b" a", b"b")),
    "an event's name": (b"event: ping\ndata: {}\n\ndata: a\n\n", [(b"ping", b"{}"), *data(b"a")]),
    "a name after its data": (b"data: {}\nevent: ping\n\n", [(b"ping", b"{}")]),
    "a name without data is no event": (b"event: ping\n\ndata: a\n\n", data(b"a")),
    "no data is no event": (b"data\n\ndata:\n\ndata: \n\nid: 1\n\ndata: a\n\n", data(b"a")),
    "fields that mean nothing here": (b"id: 1\nretry: 5\nx: y\n data: b\ndata: a\n\n", data(b"a")),
    "llama.cpp's error field": (b'error: {"code":500}\n\n', [(b"error", b'{"code":500}')]),
    "UTF-8": ("data: Grüße 😀\n\n".encode(), data("Grüße 😀".encode())),
    "a colon in the data": (b"data: a: b\n\n", data(b"a: b")),
    "an event that is not ended": (b"data: a\n\ndata: b", data(b"a", b"b")),
    "an event that lacks its blank line": (b"data: a\n\ndata: b\n", data(b"a", b"b")),
    "nothing": (b"", []),
}


@pytest.mark.parametrize(("stream", "expected"), GRAMMAR.values(), ids=GRAMMAR)
def test_the_grammar_at_every_cut(stream: bytes, expected: list[Event]) -> None:
    assert found([stream]) == (expected, 0)
    assert found(in_pieces(stream, 1)) == (expected, 0)
    for chunks in in_two(stream):
        assert found(chunks) == (expected, 0)


@pytest.mark.parametrize(("stream", "expected"), GRAMMAR.values(), ids=GRAMMAR)
def test_the_grammar_past_the_streams_start(stream: bytes, expected: list[Event]) -> None:
    if not stream.startswith(b"\xef"):
        for chunks in in_two(stream):
            assert found([b"data: x\n\n", *chunks]) == (data(b"x") + expected, 0)


@pytest.mark.parametrize("stream", [b"data: a\n\n", b"data: a\r\n\r\n", b"data: a\r\r"])
def test_an_event_is_told_as_soon_as_it_ends(stream: bytes) -> None:
    events = Events()
    assert events.feed(stream) == data(b"a")
    assert events.feed(stream + stream) == data(b"a", b"a")
    assert events.feed(stream) == data(b"a")


def test_an_event_of_twenty_megabytes_is_skipped_and_counted_once() -> None:
    stream = b"data: a\n\ndata: " + b"x" * 20_000_000 + b"\n\ndata: b\n\n"
    for size in (1 << 16, 1 << 20, len(stream)):
        events = Events()
        seen = []
        for chunk in in_pieces(stream, size):
            seen += events.feed(chunk)
            assert len(events._buffer) <= MAX_EVENT + (1 << 20)
        assert seen == data(b"a", b"b")
        assert events.oversized == 1


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_the_limit_on_an_event_is_exact_at_every_cut(end: bytes) -> None:
    fits, over = b"data: " + b"x" * 10, b"data: " + b"x" * 11
    for stream, expected in (
        (b"\n" + fits + end + end + b"data: b" + end, (data(b"x" * 10, b"b"), 0)),
        (b"\n" + over + end + end + b"data: b" + end, (data(b"b"), 1)),
        (over + b"\ndata: more" + end + b"data: b" + end, (data(b"b"), 1)),
    ):
        for chunks in in_two(stream):
            assert found(chunks, limit=16) == expected
        assert found(in_pieces(stream, 1), limit=16) == expected


def test_a_large_event_that_never_ends_is_counted_once() -> None:
    events = Events(16)
    for chunk in [b"data: " + b"x" * 20, b"x" * 20]:
        assert events.feed(chunk) == []
    assert events.flush() == []
    assert events.flush() == []
    assert events.oversized == 1
    assert found([b"data: " + b"x" * 10 + b"\n"], limit=16) == ([], 1)


SCRAPS = st.sampled_from(
    [
        b"data: ",
        b"data:",
        b"data",
        b"event: e",
        b"a",
        b"{}",
        b":",
        b" ",
        b"\n",
        b"\n\n",
        b"\r",
        b"\r\n",
        b"\xef\xbb\xbf",
        b"\xc3",
        b"\xbc",
        b"error: ",
        b"data: x\n\n",
        b"xxxxxxxxxxxxxxxx",
    ]
)
STREAMS = st.lists(SCRAPS, max_size=30).map(b"".join)


@settings(max_examples=300)
@given(STREAMS.flatmap(lambda stream: st.tuples(st.just(stream), cut(stream))))
def test_the_events_are_the_same_for_any_chunking(drawn: tuple[bytes, list[bytes]]) -> None:
    stream, chunks = drawn
    for limit in (MAX_EVENT, 12):
        whole = found([stream], limit)
        assert found(chunks, limit) == whole
        assert found(in_pieces(stream, 1), limit) == whole


@given(STREAMS)
def test_the_short_way_finds_what_the_long_way_does(stream: bytes) -> None:
    slow = Events()
    slow.feed(b"data: x\n\n")
    long_way = [*slow._feed(stream), *slow.flush()]
    fast = Events()
    fast.feed(b"data: x\n\n")
    assert [*fast.feed(stream), *fast.flush()] == long_way


PLAIN = st.lists(
    st.sampled_from([b"data: x\n\n", b"data: {}\n\n", b"data: a"]) | SCRAPS, max_size=9
)


@settings(max_examples=1000)
@example([b"data: x\n\n", b"data: {}\n\n"])
@example([b"data: \n\n"])
@given(PLAIN)
def test_whole_events_are_found_at_one_go_or_nothing_is_taken(scraps: list[bytes]) -> None:
    stream = b"".join(scraps)
    for before in (b"", b"data: x\n\n", b"data"):
        events, others = Events(), Events()
        assert events.feed(before) == others.feed(before)
        at_once = [(b"", data) for data in events.whole(stream)]
        one_by_one = others.feed(stream)
        assert at_once in ([], one_by_one)
        if not at_once:
            assert events.feed(stream) == one_by_one
        assert events.feed(b"data: y\n\n") == others.feed(b"data: y\n\n")


def test_what_nearly_all_streams_are_made_of_is_found_at_one_go() -> None:
    assert Events().whole(b"data: {}\n\ndata: [DONE]\n\n") == [b"{}", b"[DONE]"]
