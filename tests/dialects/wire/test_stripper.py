"""Unwanted events go, every other byte stays, whatever the chunking."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.dialects.wire.stripper import MAX_HELD, EventStripper, Untouched
from tests.dialects.chunks import cut, in_pieces, in_two


def stripper(limit: int = MAX_HELD) -> EventStripper:
    return EventStripper(
        b"usage", lambda data: b"usage" in data, lambda event: b"usage" in event, limit
    )


def stripped(chunks: list[bytes], limit: int = MAX_HELD) -> bytes:
    under_test = stripper(limit)
    return b"".join(map(under_test.feed, chunks)) + under_test.flush()


ENDS = pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n", b"\r\n\n"])


@ENDS
def test_the_unwanted_event_goes_with_its_end_at_every_cut(end: bytes) -> None:
    stream = b"data: a" + end + b"data: usage" + end + b"data: b" + end + b"data: [DONE]" + end
    expected = b"data: a" + end + b"data: b" + end + b"data: [DONE]" + end
    assert stripped([stream]) == expected
    assert stripped(in_pieces(stream, 1)) == expected
    for chunks in in_two(stream):
        assert stripped(chunks) == expected


@ENDS
def test_a_stream_without_it_passes_as_it_is(end: bytes) -> None:
    stream = b": hi" + end + b"data: a" + end + end + b"data: \xff\xfe" + end + b"data: cut"
    for chunks in in_two(stream):
        assert stripped(chunks) == stream


def test_blank_lines_before_the_unwanted_event_stay() -> None:
    for end in (b"\n", b"\r\n", b"\r"):
        stream = b"data: a" + end * 4 + b"data: usage" + end * 4 + b"data: b" + end * 2
        for chunks in in_two(stream):
            assert stripped(chunks) == b"data: a" + end * 6 + b"data: b" + end * 2


def test_a_whole_event_passes_at_once() -> None:
    under_test = stripper()
    assert under_test.feed(b"data: a\n\n") == b"data: a\n\n"
    assert under_test.feed(b"data: a\r\n\r\n") == b"data: a\r\n\r\n"
    assert under_test.feed(b"data: usage\n\n") == b""
    assert under_test.feed(b"data: a\n\n") == b"data: a\n\n"


def test_the_start_of_an_event_waits_for_its_end() -> None:
    under_test = stripper()
    assert under_test.feed(b"data: a\n\ndata: us") == b"data: a\n\n"
    assert under_test.feed(b"age\n") == b""
    assert under_test.feed(b"\ndata: [DO") == b""
    assert under_test.flush() == b"data: [DO"
    assert under_test.flush() == b""


def test_nothing_large_is_kept_back() -> None:
    under_test = stripper()
    out = 0
    for _ in range(100):
        out += len(under_test.feed(b"x" * 10_000))
        assert len(under_test._held) <= MAX_HELD
    assert out >= 1_000_000 - 4


@pytest.mark.parametrize("length", [MAX_HELD, MAX_HELD + 1, 3 * MAX_HELD])
@pytest.mark.parametrize("size", [7_777, MAX_HELD, 10 * MAX_HELD])
def test_only_an_event_too_large_to_hold_is_passed_unasked(length: int, size: int) -> None:
    event = b"data: usage" + b"x" * (length - 11) + b"\n\n"
    stream = b"data: a\n\n" + event + b"data: usage\n\ndata: b\n\n"
    kept = event if length > MAX_HELD else b""
    assert stripped(in_pieces(stream, size)) == b"data: a\n\n" + kept + b"data: b\n\n"


SCRAPS = st.sampled_from(
    [
        b"data: ",
        b"usage",
        b"a",
        b"\n",
        b"\n\n",
        b"\r",
        b"\r\n",
        b"\r\n\r\n",
        b"data: usage\n\n",
        b"x" * 9,
    ]
)
STREAMS = st.lists(SCRAPS, max_size=20).map(b"".join)


@settings(max_examples=300)
@example((b"\r\n\n\ndata: usage\n\n", [b"\r\n\n\n", b"data: usage\n\n"]))
@given(STREAMS.flatmap(lambda stream: st.tuples(st.just(stream), cut(stream))))
def test_what_comes_out_is_the_same_for_any_chunking(drawn: tuple[bytes, list[bytes]]) -> None:
    stream, chunks = drawn
    for limit in (MAX_HELD, 18):
        assert stripped(chunks, limit) == stripped([stream], limit)


@given(STREAMS.flatmap(cut))
def test_with_nothing_unwanted_every_byte_comes_out(chunks: list[bytes]) -> None:
    under_test = EventStripper(b"", lambda _data: True, lambda _event: False)
    out = b"".join(map(under_test.feed, chunks)) + under_test.flush()
    assert out == b"".join(chunks)


def test_a_stream_with_nothing_to_take_out_is_left_alone() -> None:
    assert Untouched().feed(b"data: a") == b"data: a"
    assert Untouched().flush() == b""
