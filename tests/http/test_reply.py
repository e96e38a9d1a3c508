"""Replies as bytes: framing, ends, and what is refused to be written."""

import pytest

from proxy.http import Reply, render
from proxy.http.head import Head
from tests.http.house import NO_FIELDS, Flow

DATE = b"date: Sun, 22 Nov 2026 00:00:00 GMT\r\n"


class Wire:
    """A connection that keeps what it is told."""

    def __init__(self) -> None:
        self.write_paused = False
        self.writes: list[bytes] = []
        self.cuts: list[bool] = []

    def may_keep(self) -> bool:
        return True

    def date(self) -> bytes:
        return DATE[6:-2]

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def cut(self, *, reset: bool) -> None:
        self.cuts.append(reset)


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def reply(wire: Wire) -> Reply:
    return Reply(wire, Head())


def test_a_whole_reply_is_one_write(wire: Wire, reply: Reply) -> None:
    reply.send(200, [(b"x-a", b"b")], b"ok")
    assert wire.writes == [
        b"HTTP/1.1 200 OK\r\nx-a: b\r\n" + DATE + b"content-length: 2\r\n\r\nok"
    ]
    assert (reply.started, reply.finished, reply.status, reply.body_bytes) == (True, True, 200, 2)


def test_a_head_goes_out_with_the_first_bytes_of_its_body(wire: Wire, reply: Reply) -> None:
    reply.start(200, b"OK", NO_FIELDS, length=None)
    assert wire.writes == []
    assert reply.started
    reply.write(b"data")
    reply.write(b"more")
    reply.finish()
    reply.finish()
    assert wire.writes == [
        b"HTTP/1.1 200 OK\r\n" + DATE + b"transfer-encoding: chunked\r\n\r\n4\r\ndata\r\n",
        b"4\r\nmore\r\n",
        b"0\r\n\r\n",
    ]
    assert reply.body_bytes == 8


def test_the_end_goes_out_with_the_last_bytes(wire: Wire, reply: Reply) -> None:
    reply.start(200, b"OK", NO_FIELDS, length=None)
    reply.write(b"data")
    reply.finish(b"more")
    reply.finish(b"never")
    assert wire.writes[1:] == [b"4\r\nmore\r\n0\r\n\r\n"]
    assert reply.body_bytes == 8


@pytest.mark.parametrize(("last", "cuts"), [(b"", [False]), (b"lo", []), (b"lo!", [False])])
def test_last_bytes_count_towards_the_length_that_was_announced(
    wire: Wire, reply: Reply, last: bytes, cuts: list[bool]
) -> None:
    reply.start(200, b"", NO_FIELDS, length=5)
    reply.write(b"hel")
    reply.finish(last)
    assert wire.cuts == cuts
    assert wire.writes[1:] == ([] if cuts else [b"lo"])


def test_an_empty_reply_is_one_write(wire: Wire, reply: Reply) -> None:
    reply.start(200, b"OK", NO_FIELDS, length=None)
    reply.finish()
    assert len(wire.writes) == 1
    assert wire.writes[0].endswith(b"chunked\r\n\r\n0\r\n\r\n")


def test_an_upstreams_own_words_and_date_are_kept(wire: Wire, reply: Reply) -> None:
    reply.start(299, b"Very Fine", render([(b"Date", b"today")]), length=0)
    reply.finish()
    assert wire.writes == [b"HTTP/1.1 299 Very Fine\r\nDate: today\r\ncontent-length: 0\r\n\r\n"]


@pytest.mark.parametrize("mischief", [b"a\r\nSet-Cookie: x", b"a\nb", b"a\rb", b"a\0b"])
def test_a_header_that_holds_another_is_never_written(
    wire: Wire, reply: Reply, mischief: bytes
) -> None:
    with pytest.raises(ValueError, match="CR, LF or NUL"):
        reply.start(200, b"", render([(b"x-a", mischief)]), length=None)
    with pytest.raises(ValueError, match="CR, LF or NUL"):
        reply.send(200, [(mischief, b"b")], b"")
    with pytest.raises(ValueError, match="CR, LF or NUL"):
        reply.start(200, mischief, NO_FIELDS, length=None)
    assert not reply.started
    assert wire.writes == []
    reply.send(500, [], b"")
    assert wire.writes[0].startswith(b"HTTP/1.1 500 ")


def test_a_request_has_one_reply(reply: Reply) -> None:
    reply.send(200, [], b"")
    with pytest.raises(RuntimeError):
        reply.send(200, [], b"")


def test_a_reply_shorter_than_announced_is_cut(wire: Wire, reply: Reply) -> None:
    reply.start(200, b"", NO_FIELDS, length=10)
    reply.write(b"hello")
    reply.finish()
    assert wire.cuts == [False]
    assert not reply.keep


def test_a_reply_longer_than_announced_is_cut_before_it_can_be_misread(
    wire: Wire, reply: Reply
) -> None:
    reply.start(200, b"", NO_FIELDS, length=5)
    reply.write(b"hello")
    reply.write(b"HTTP/1.1 200 OK\r\n\r\n")
    assert len(wire.writes) == 1
    assert wire.cuts == [False]


def test_an_aborted_reply_has_no_end(wire: Wire, reply: Reply) -> None:
    reply.start(200, b"", NO_FIELDS, length=None)
    reply.write(b"hello")
    reply.abort()
    reply.abort()
    reply.write(b"more")
    reply.finish()
    assert wire.writes[-1].endswith(b"5\r\nhello\r\n")
    assert wire.cuts == [False]


def test_a_reply_that_ends_with_the_connection_is_aborted_by_a_reset(wire: Wire) -> None:
    head = Head()
    head.http11 = False
    reply = Reply(wire, head)
    reply.start(200, b"", NO_FIELDS, length=None)
    reply.write(b"hello")
    reply.abort()
    assert wire.cuts == [True]


def test_flow_is_told_until_the_end(wire: Wire, reply: Reply) -> None:
    heard: list[str] = []
    reply.flow(paused=True)
    wire.write_paused = True
    reply.on_flow(Flow(lambda: heard.append("pause"), lambda: heard.append("resume")))
    reply.flow(paused=False)
    reply.start(200, b"", NO_FIELDS, length=None)
    reply.finish()
    reply.flow(paused=True)
    assert heard == ["pause", "resume"]
