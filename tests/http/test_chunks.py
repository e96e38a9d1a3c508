"""One chunked body: the same for any cutting, and never other than llhttp reads it."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.http.framing import EXTRA_BYTES, LINE_BYTES, SMALL, BrokenChunks, Chunks, chunk
from tests.support.llhttp import chunked, extended, noise, pieces, request, trailed

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
bodies = noise | extended | trailed | st.lists(pieces, max_size=4).map(chunked)


def read(*parts: bytes) -> tuple[bytes, bool, bool, bytes]:
    """Return what is taken, whether it ended, whether it was broken, and what lay behind it."""
    chunks = Chunks()
    taken: list[bytes] = []
    rest = b""
    for part in parts:
        if chunks.ended:
            rest += part
            continue
        try:
            rest += chunks.feed(part, taken)
        except BrokenChunks:
            return b"".join(taken), False, True, b""
    return b"".join(taken), chunks.ended, False, rest


@given(bodies)
@settings(max_examples=1500, deadline=None)
@example(b"2\r\n\r\n\r\n0\r\n\r\n")
@example(b"0\r\nA: b\r\n\r\n")
@example(b"0;:\r\n\r\n")
@example(b'1;a="b c";d\r\nx\r\n0\r\n\r\n')
def test_what_is_taken_as_a_chunked_body_llhttp_takes_for_the_same(data: bytes) -> None:
    taken, ended, _, rest = read(data)
    if ended:
        peer = request(HEAD + data[: len(data) - len(rest)])
        assert (peer.body, peer.ended) == (taken, True)


@given(bodies, st.lists(st.integers(0, 60), max_size=8))
@settings(max_examples=1500, deadline=None)
def test_how_it_is_cut_changes_nothing(data: bytes, places: list[int]) -> None:
    edges = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    assert read(*[data[a:b] for a, b in pairwise(edges)]) == read(data)


def test_what_is_written_as_a_chunk_is_read_as_one() -> None:
    sizes = [1, 9, 10, 15, 16, 255, 256, *range(SMALL - 10, SMALL + 10), 100_000]
    for size in sizes:
        assert read(chunk(b"x" * size)) == (b"x" * size, False, False, b"")
    stream = b"".join([chunk(b"x" * size) for size in sizes]) + b"0\r\n\r\n"
    assert read(stream + b"GET") == (b"x" * sum(sizes), True, False, b"GET")


def test_a_chunk_is_handed_out_as_it_comes() -> None:
    chunks, taken = Chunks(), list[bytes]()
    for part in (b"5\r\nhe", b"ll", b"o", b"\r", b"\n2\r\nyo\r\n1\r\n"):
        assert chunks.feed(part, taken) == b""
    assert taken == [b"he", b"ll", b"o", b"yo"]


def test_what_came_before_a_fault_is_handed_out() -> None:
    assert read(b"3\r\nabc\r\n2\r\nde!!") == (b"abcde", False, True, b"")


@pytest.mark.parametrize(
    "start",
    [
        *(b"5\n", b"5\rx", b"5;a\n", b"0\r\nA\n", b"0\r\n\rx"),
        *(b"x", b"\r", b"+5", b"0x5", b" 5", b";", b"1" * 16, b"1\r\na\n", b"1\r\na\r\r"),
    ],
)
def test_what_can_not_end_well_is_refused_before_it_ends(start: bytes) -> None:
    assert read(start)[2]
    assert read(*[start[at : at + 1] for at in range(len(start))])[2]


@pytest.mark.parametrize("size", range(LINE_BYTES - 1, LINE_BYTES + 3))
def test_a_line_at_its_bound_is_judged_the_same_whole_and_cut(size: int) -> None:
    data = b"1;" + b"a" * (size - 4) + b"\r\nx\r\n0\r\n\r\n"
    cut = [data[at : at + 1] for at in range(len(data))]
    assert read(data)[1] == read(*cut)[1] == (size <= LINE_BYTES)


@pytest.mark.parametrize("more", [b"1;%b\r\nx\r\n", b"0\r\na:%b\r\n"])
def test_what_is_no_data_is_bounded(more: bytes) -> None:
    line = more % (b"a" * 1000)
    repeats = EXTRA_BYTES // 1000 + 1
    lines = line * repeats if line[:1] == b"1" else line + line[3:] * repeats
    assert read(lines)[2]
    assert not read(line)[2]


@pytest.mark.parametrize("name", [b"Content-Length", b"transfer-encoding", b"HOST"])
def test_framing_is_no_trailer(name: bytes) -> None:
    assert read(b"0\r\nA: b\r\n\r\n")[1]
    assert read(b"0\r\n" + name + b": 1\r\n\r\n")[2]
