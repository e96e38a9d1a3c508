"""Heads that are remembered: read as if they were not, whatever a client changes in them."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.config.settings import Limits
from proxy.errors import Refusal
from proxy.http.head import Head, Heads
from proxy.http.headers import KEPT_BYTES, KEPT_HEADS, split_length
from tests.http.test_strictness import AMBIGUOUS

LIMITS = Limits(header_count=10, target_bytes=100)
USUAL = (
    b"POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: a:80\r\nAuthorization: Bearer s\r\n"
    b"Content-Length: 1500\r\nX-Strength: 7\r\n\r\n"
)
GET = b"GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\ncontent-length: 2\r\n\r\n"
TWO = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nA: b\r\nA: c\r\n\r\n"

Said = tuple[object, ...]


def said(head: Head, length: int | None) -> Said:
    """Return all that a head says."""
    names = set(Head.__slots__) - {"header", "kept", "refusal"}
    found = [head.header(name.lower()) for name, _ in head.headers]
    return *(getattr(head, name) for name in sorted(names)), found, length


def anew(raw: bytes) -> Said | str:
    """Read a head that nobody remembers; a refusal by its words."""
    head = Head()
    try:
        length = head.parse(raw, LIMITS)
    except Refusal as refusal:
        return refusal.message
    return said(head, length)


def again(heads: Heads, raw: bytes) -> Said | str:
    head, length = heads.read(raw)
    return said(head, length) if head.refusal is None else head.refusal.message


def acquainted() -> Heads:
    """Return heads that remember the ordinary ones."""
    heads = Heads(LIMITS)
    for raw in (USUAL, GET, LAST, TWO):
        assert heads.read(raw)[0].refusal is None
        assert heads.read(raw)[0] is heads.read(raw)[0]
    return heads


replaced = st.tuples(
    st.sampled_from([USUAL, GET, LAST, TWO]),
    st.integers(0, 200),
    st.integers(0, 12),
    st.sampled_from([b"", b"\r\n", b"\n", b" ", b"\t", b"+", b"0", b"99", b":", b"\0", b","])
    | st.binary(max_size=4)
    | st.just(b"Content-Length: 3\r\n")
    | st.just(b"\r\nTransfer-Encoding: chunked"),
).map(lambda cut: cut[0][: cut[1]] + cut[3] + cut[0][cut[1] + cut[2] :])


@given(replaced)
@settings(max_examples=600, deadline=None)
@example(USUAL.replace(b"1500", b"0"))
@example(USUAL.replace(b"1500", b"000000000000000001"))
@example(USUAL.replace(b"1500", b"0000000000000000001"))
@example(USUAL.replace(b"1500", b"\xd9\xa5"))
@example(USUAL.replace(b"1500", b"15 00"))
@example(USUAL.replace(b"1500", b"1500 "))
@example(USUAL.replace(b"1500", b"1500, 1500"))
@example(USUAL.replace(b"Strength: 7", b"Strength: 8"))
@example(USUAL.replace(b"X-Strength: 7", b"Content-Length: 7"))
@example(USUAL.replace(b"Content-L", b"X-Content-L"))
@example(USUAL.replace(b"Content-L", b"content_l"))
@example(USUAL.replace(b"Content-L", b"A: b\nContent-L"))
def test_a_head_is_read_as_if_no_other_had_been_seen(raw: bytes) -> None:
    end = raw.find(b"\r\n\r\n")
    if end < 0:
        return  # `framing` gives out whole heads only
    raw = raw[: end + 4]
    heads = acquainted()
    assert again(heads, raw) == anew(raw)
    assert again(heads, raw) == anew(raw)


@pytest.mark.parametrize("raw", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_is_ambiguous_is_refused_each_time(raw: bytes) -> None:
    end = raw.find(b"\r\n\r\n")
    raw = raw[: end + 4] if end >= 0 else raw + b"\r\n\r\n"
    heads = acquainted()
    for _ in range(3):
        assert again(heads, raw) == anew(raw)


@given(st.integers(0, 10**19))
def test_heads_that_differ_in_their_length_alone_are_one_head(length: int) -> None:
    heads = acquainted()
    head, read = heads.read(USUAL.replace(b"1500", b"%d" % length))
    assert read == length
    assert (head is heads.read(USUAL)[0]) is (length < 10**18)


def test_only_the_digits_of_a_content_length_are_taken_out() -> None:
    assert split_length(USUAL)[1] == b"1500"
    assert split_length(LAST)[1] == b"2"
    assert split_length(GET) == (GET, b"", b"")
    first = re.sub(rb"(Content.*?\r\n)(X-Strength.*?\r\n)", rb"\2\1", USUAL)
    assert split_length(first) == (first, b"", b"")


def test_what_is_remembered_is_bounded() -> None:
    heads = Heads(LIMITS)
    long = USUAL.replace(b"X-Strength", b"X-%s" % (b"a" * KEPT_BYTES))
    assert heads.read(long)[0] is not heads.read(long)[0]
    for number in range(3 * KEPT_HEADS):
        heads.read(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
    assert len(heads._known._known) <= KEPT_HEADS


def test_an_odd_spelling_of_the_length_is_read_each_time() -> None:
    heads = Heads(LIMITS)
    for length in (5, 6):
        raw = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length:%d\r\n\r\n" % length
        assert heads.read(raw)[1] == length
    assert not heads._known._known
