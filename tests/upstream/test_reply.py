"""Reading replies: what is framed, what is refused, for any cutting of the bytes."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http import KEPT_HEADS
from proxy.upstream.reply import (
    HEAD_BYTES,
    HEADER_COUNT,
    INTERIM_REPLIES,
    BadReply,
    ReplyHeads,
    ReplyReader,
)
from tests.support import llhttp

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def read(*pieces: bytes, no_body: bool = False) -> tuple[ReplyReader, bytes]:
    reader = ReplyReader(ReplyHeads())
    reader.expect(no_body=no_body)
    body = b""
    for piece in pieces:
        reader.feed(piece)
        body += b"".join(reader.body)
        reader.body.clear()
    return reader, body


def head_of(reader: ReplyReader) -> tuple[int, bytes, list[tuple[bytes, bytes]], int | None]:
    head = reader.head
    assert head is not None
    return head.status, head.reason, head.headers, reader.length


def test_a_reply_with_a_length_is_read_to_its_end() -> None:
    reader, body = read(b"HTTP/1.1 200 OK\r\nX-a: 1\r\nCONTENT-length: 5\r\n\r\nhello")
    assert head_of(reader) == (200, b"OK", [(b"X-a", b"1")], 5)
    assert body == b"hello"
    assert reader.complete
    assert reader.keep_alive


CHUNKS = (
    b"5\r\nhello\r\n",
    b"1\r\n \r\n",
    b"10\r\n5\r\n0\r\n\r\n12345678\r\n",  # 16 bytes, which look like framing
    b"0A\r\nnot as we \r\n",
    b"3;a=b\r\ndo \r\n",
    b"4\r\n\r\n\r\n\r\n",
    b"2\r\nit\r\n",
)
WORDS = b"hello 5\r\n0\r\n\r\n12345678not as we do \r\n\r\nit"


@given(cuts=st.sets(st.integers(0, len(b"".join(CHUNKS)) + 5)), at_chunks=st.booleans())
def test_chunks_are_the_same_for_any_cutting(cuts: set[int], *, at_chunks: bool) -> None:
    stream = b"".join(CHUNKS) + b"0\r\n\r\n"
    if at_chunks:  # most reads are whole chunks
        cuts |= {len(b"".join(CHUNKS[:count])) for count in range(len(CHUNKS) + 1)}
    edges = [0, *sorted(cuts), len(stream)]
    pieces = [stream[begin:end] for begin, end in pairwise(edges) if begin < end]
    reader, body = read(CHUNKED, *pieces)
    assert body == WORDS
    assert reader.complete
    assert reader.keep_alive


@pytest.mark.parametrize("bad", [b"5\r\nhelloXX", b"+5\r\nhello\r\n", b"0x5\r\nhello\r\n"])
def test_a_chunk_that_is_none_is_refused_among_whole_ones_too(bad: bytes) -> None:
    with pytest.raises(BadReply):
        read(CHUNKED, CHUNKS[0], CHUNKS[1], bad, CHUNKS[0])


def test_chunks_are_decoded_and_their_trailers_dropped() -> None:
    reader, body = read(CHUNKED + b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n")
    assert body == b"abcde"
    assert head_of(reader)[2:] == ([(b"Transfer-Encoding", b"chunked")], None)
    assert reader.complete


@pytest.mark.parametrize(
    ("bytes_", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: \xff y\r\n\r\nhello", b"hello"),
        (CHUNKED + b"1\r\na\r\nB\r\n\r\n\xf0\x9f\x98\x80\r\r\n\n!\r\n0\r\nT: 1\r\n\r\n", None),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n!", b"!"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
@given(st.data())
def test_where_the_bytes_are_cut_makes_no_difference(
    bytes_: bytes, body: bytes | None, data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.integers(1, len(bytes_) - 1), unique=True).map(sorted))
    pieces = [bytes_[a:b] for a, b in zip([0, *cuts], [*cuts, len(bytes_)], strict=True)]
    reader, read_ = read(*pieces)
    whole, whole_body = read(bytes_)
    assert head_of(reader) == head_of(whole)
    assert read_ == whole_body
    assert body is None or read_ == body
    assert reader.complete
    assert reader.keep_alive


@pytest.mark.parametrize(
    ("reply", "keep_alive"),
    [
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", True),
    ],
)
def test_replies_without_a_body_are_whole_with_their_head(reply: bytes, keep_alive: bool) -> None:  # noqa: FBT001  # pytest's
    reader, body = read(reply)
    assert reader.complete
    assert body == b""
    assert reader.keep_alive is keep_alive


def test_the_reply_to_a_head_request_has_no_body_whatever_it_says() -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    reader, _ = read(reply, no_body=True)
    assert reader.complete
    assert reader.keep_alive
    assert head_of(reader)[3] == 5
    reader.expect()
    reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    assert reader.body == [b"hi"]
    assert reader.complete


def test_a_body_that_came_with_the_reply_to_a_head_request_is_not_handed_out() -> None:
    reader, body = read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", no_body=True)
    assert body == b""
    assert not reader.keep_alive


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_without_framing_the_end_of_the_connection_ends_the_body(version: bytes) -> None:
    reader, body = read(b"HTTP/" + version + b" 200 OK\r\n\r\nabc", b"def")
    assert body == b"abcdef"
    assert not reader.complete
    assert reader.end()
    assert not reader.keep_alive


@pytest.mark.parametrize(
    "cut",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        CHUNKED + b"3\r\nabc\r\n",
        CHUNKED + b"3\r\nabc\r\n0\r\n",
    ],
)
def test_the_end_of_the_connection_makes_no_other_reply_whole(cut: bytes) -> None:
    reader, _ = read(cut)
    assert not reader.end()


def test_interim_replies_are_skipped() -> None:
    reader, body = read(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    )
    assert head_of(reader) == (200, b"OK", [], 2)
    assert body == b"hi"


def test_an_interim_reply_does_not_start_the_reply() -> None:
    reader, _ = read(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert not reader.started
    reader.feed(b"H")
    assert reader.started


@pytest.mark.parametrize(
    "surplus", [b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!", b"HTTP"]
)
def test_bytes_after_a_reply_leave_it_whole_and_end_the_connection(surplus: bytes) -> None:
    for connection in (b"keep-alive", b"close"):
        start = b"HTTP/1.1 200 OK\r\nConnection: " + connection + b"\r\nContent-Length: 2\r\n\r\n"
        reader, body = read(start + b"hi" + surplus)
        assert body == b"hi"
        assert reader.complete
        assert not reader.keep_alive


def test_one_reply_after_another_is_read() -> None:
    reader, _ = read(CHUNKED + b"0\r\n\r\n")
    for _ in range(3):
        reader.expect()
        assert reader.head is None
        reader.feed(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nhi")
        assert head_of(reader) == (201, b"Created", [], 2)
        assert reader.body == [b"hi"]


def test_a_reason_that_could_not_be_passed_on_is_left_out() -> None:
    reader, _ = read(b"HTTP/1.1 200 \x01\xff\r\nContent-Length: 0\r\n\r\n")
    assert head_of(reader)[1] == b""
    reader, _ = read(b"HTTP/1.1 404 Not here\r\nContent-Length: 0\r\n\r\n")
    assert head_of(reader)[1] == b"Not here"
    reader, _ = read(b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n")
    assert head_of(reader)[1] == b""


@pytest.mark.parametrize(
    "reply",
    [
        b"hello",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x16\x03\x01\x02\x00",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 099 No\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +4\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        CHUNKED + b"0x1\r\na\r\n",
        CHUNKED + b"1\r\nab\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nab",
        b"HTTP/1.1 100 Continue\r\n\r\n" * (INTERIM_REPLIES + 1),
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * (HEADER_COUNT + 1) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * HEAD_BYTES + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * HEAD_BYTES,
        CHUNKED + b"0\r\n" + b"X: y\r\n" * 5_000,
    ],
)
def test_what_is_no_reply_or_too_much_is_bad(reply: bytes) -> None:
    with pytest.raises(BadReply):
        read(reply)
    half = len(reply) // 2
    with pytest.raises(BadReply):
        read(reply[:half], reply[half:])


def test_a_trailer_or_an_extension_without_end_is_bad() -> None:
    for start in (b"0\r\nX: ", b"1;"):
        with pytest.raises(BadReply):
            read(CHUNKED, start, *[b"y" * 1000] * (HEAD_BYTES // 1000 + 1))


def test_a_large_body_in_the_read_of_its_head_is_no_large_head() -> None:
    size = 4 * HEAD_BYTES
    reader, body = read(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
    assert len(body) == size
    assert reader.complete


def test_what_came_before_the_fault_is_handed_out() -> None:
    reader = ReplyReader(ReplyHeads())
    reader.expect()
    with pytest.raises(BadReply):
        reader.feed(CHUNKED + b"3\r\nabc\r\nzzz")
    assert reader.body == [b"abc"]
    assert reader.head is not None


LENGTH = b"HTTP/1.1 %b\r\nDate: now\r\nContent-Length: %d\r\n%b\r\n%b"
starts = st.sampled_from([b"200 OK", b"500 Oops", b"204 No Content", b"304 Not Modified", b"200"])
IN_CHUNKS = b"HTTP/1.1 %b\r\nDate: now\r\nTransfer-Encoding: chunked\r\n%b\r\n%b"
noises = st.sampled_from(
    [
        b"",
        b"",
        b"X-Strength: 7\r\n",
        b"Connection: close\r\n",
        b"Set-Cookie: a\r\nSet-Cookie: b\r\n",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"A: b\n",
        b" folded\r\n",
    ]
) | llhttp.noise.map(lambda noise: noise + b"\r\n")
bodies = st.binary(max_size=12) | st.just(b"") | st.just(b"HTTP/1.1 200 OK\r\n\r\n")
counted = st.builds(
    lambda start, noise, body: LENGTH % (start, len(body), noise, body), starts, noises, bodies
)
in_chunks = st.builds(
    lambda start, noise, body: IN_CHUNKS % (start, noise, body),
    *(starts, noises),
    st.lists(bodies, max_size=4).map(llhttp.chunked) | llhttp.extended | llhttp.trailed,
)
interim = b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\n"
replies = st.tuples(
    st.sampled_from([b"", b"", b"", b"\r\n", interim]),
    counted | in_chunks,
    st.sampled_from([b"", b"", b"", b"!"]),
).map(b"".join)


Said = tuple[int, bytes, list[tuple[bytes, bytes]]]


def seen(
    reader: ReplyReader, pieces: list[bytes]
) -> tuple[Said | None, int | None, bytes, bool, bool, bool, bool]:
    """Return all that a reader says of one reply that comes in `pieces`, and then ends."""
    reader.expect()
    body = b""
    fault = False
    for piece in pieces:
        try:
            reader.feed(piece)
        except BadReply:
            fault = True
        body += b"".join(reader.body)
        reader.body.clear()
        if fault or reader.complete:
            break
    whole = reader.complete or (not fault and reader.end())
    head = reader.head
    said = None if head is None else (head.status, head.reason, head.headers)
    return said, reader.length, body, whole, whole and reader.keep_alive, fault, reader.started


@given(st.lists(st.tuples(replies, st.lists(st.integers(1, 200), max_size=3)), max_size=8))
@settings(max_examples=300, deadline=None)
def test_heads_that_are_remembered_are_read_as_if_they_were_not(
    coming: list[tuple[bytes, list[int]]],
) -> None:
    heads = ReplyHeads()
    kept = ReplyReader(heads)
    for reply, places in coming:
        cuts = sorted({place for place in places if place < len(reply)})
        pieces = [reply[a:b] for a, b in zip([0, *cuts], [*cuts, len(reply)], strict=True)]
        as_known = seen(kept, pieces)
        assert as_known == seen(ReplyReader(ReplyHeads()), pieces)
        if not (as_known[3] and as_known[4]):
            kept = ReplyReader(heads)  # the next comes on another connection


@given(counted | in_chunks)
@settings(max_examples=1500, deadline=None)
def test_what_is_taken_as_a_reply_llhttp_takes_for_the_same(coming: bytes) -> None:
    heads = ReplyHeads()
    for _ in range(2):  # the second time from memory, where its head may be remembered
        said, length, body, whole, _, fault, _ = seen(ReplyReader(heads), [coming])
        if said is not None and whole and not fault:
            peer = llhttp.reply(coming)
            lengths = [value for name, value in peer.headers if name == b"Content-Length"]
            others = [each for each in peer.headers if each[0] != b"Content-Length"]
            assert (said[2], body, peer.ended) == (others, peer.body, True)
            assert lengths == ([] if length is None else [b"%d" % length])


def test_replies_share_a_head_that_differs_in_its_length_alone() -> None:
    heads = ReplyHeads()
    found = []
    for size in (5, 3, 0, 7):
        reader = ReplyReader(heads)
        reader.expect()
        reader.feed(LENGTH % (b"200 OK", size, b"", b"x" * size))
        assert (reader.complete, reader.length) == (True, size)
        assert b"".join(reader.body) == b"x" * size
        found.append(reader.head)
    assert found[0] is not None
    assert [head.kept for head in found if head is not None] == [False, True, True, True]
    assert found[1] is found[2] is found[3]


def test_what_is_remembered_of_replies_is_bounded() -> None:
    heads = ReplyHeads()
    for number in range(3 * KEPT_HEADS):
        reader = ReplyReader(heads)
        reader.expect()
        reader.feed(LENGTH % (b"200 OK", 0, b"X-Id: %d\r\n" % number, b""))
    assert 0 < len(heads._known) <= KEPT_HEADS


def test_a_stream_whose_head_is_remembered_begins_and_ends_as_any_other() -> None:
    heads = ReplyHeads()
    for kept in (False, True, True):
        reader = ReplyReader(heads)
        reader.expect()
        reader.feed(CHUNKED + b"5\r\nhello\r\n")
        assert (reader.body, reader.length, reader.complete) == ([b"hello"], None, False)
        assert reader.head is not None
        assert reader.head.kept is kept
        reader.feed(b"1\r\n!\r\n0\r\n\r\n")
        assert (reader.body, reader.complete, reader.keep_alive) == ([b"hello", b"!"], True, True)
