"""Where requests begin and end: the same for any cutting, and never other than llhttp says."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.config.settings import Limits
from proxy.errors import Refusal
from proxy.http.framing import Intake
from proxy.http.head import Heads
from proxy.http.request import Request
from tests.support import llhttp
from tests.support.llhttp import alphabet, chunked, pieces

LIMITS = Limits(head_bytes=600, target_bytes=200, header_count=10)
Seen = list[tuple[str, str, bytes, bool]]


class Source:
    def want_body(self) -> None:
        raise AssertionError("nobody reads here")


class Reader:
    """Takes bytes as a connection does, handling each request at once."""

    def __init__(self) -> None:
        self.intake = Intake(LIMITS)
        self.heads = Heads(LIMITS)
        self.seen: list[Request] = []

    def take(self, piece: bytes) -> None:
        self.intake.hold(self.intake.body(piece))
        while self.ready() and (raw := self.intake.head()) is not None:
            request = self.request(raw)
            self.seen.append(request)
            if request.has_body:
                self.intake.expect(request)

    def request(self, raw: bytes) -> Request:
        head, length = self.heads.read(raw)
        if head.refusal is not None:
            raise head.refusal
        return Request(head, length, Source(), 0)

    def ready(self) -> bool:
        return self.intake.receiving is None and not self.intake.broken


def read(pieces: list[bytes]) -> tuple[Seen, int | None]:
    """Return the requests in `pieces`, and the status of the refusal that ended them.

    How much has come of a body that is not whole is left out: that may differ.
    """
    reader = Reader()
    refused: int | None = None
    try:
        for piece in pieces:
            reader.take(piece)
    except Refusal as refusal:
        refused = refusal.status
    return [
        (each.method, each.path, b"".join(each._pieces) if each.complete else b"", each.complete)
        for each in reader.seen
    ], refused


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Return `data` cut at `places`."""
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(ends)]


gets = st.sampled_from([b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n", b"\r\nHEAD /b HTTP/1.0\r\n\r\n"])
posts = pieces.map(
    lambda body: b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
)
streams = st.lists(pieces, max_size=4).map(
    lambda body: (
        b"POST /s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body)
    )
)
damage = st.sampled_from(
    [
        b"GET /\n HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        b"GET /" + b"a" * 300 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"a" * 700 + b"\r\n\r\n",
        b"\x00",
    ]
)
conversations = st.tuples(st.lists(gets | posts | streams, max_size=5), damage | st.just(b"")).map(
    lambda parts: b"".join(parts[0]) + parts[1]
)


@given(conversations, st.lists(st.integers(0, 3000), max_size=12))
@settings(max_examples=400, deadline=None)
def test_how_bytes_are_cut_changes_nothing(data: bytes, places: list[int]) -> None:
    assert read(cut(data, places)) == read([data] if data else [])


def test_a_conversation_cut_at_every_byte_is_the_same() -> None:
    data = (
        b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        b"POST /s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-A: b\r\n\r\n"
        b"\r\nGET /last?x HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    whole = read([data])
    assert whole == (
        [
            ("POST", "/p", b"hello", True),
            ("POST", "/s", b"hello world", True),
            ("GET", "/last", b"", True),
        ],
        None,
    )
    assert read([data[at : at + 1] for at in range(len(data))]) == whole
    for at in range(len(data)):
        assert read([data[:at], data[at:]]) == whole


@given(st.lists(st.lists(alphabet, max_size=6).map(b"".join), max_size=4))
@settings(max_examples=600, deadline=None)
def test_what_is_taken_as_a_head_llhttp_takes_too(noises: list[bytes]) -> None:
    raw = b"GET /%s HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n" % (
        noises[0] if noises else b"",
        b"\r\n".join(noises[1:]),
    )
    reader = Reader()
    reader.intake.hold(raw)
    try:
        head = reader.intake.head()
        if head is None:
            return
        request = reader.request(head)
    except Refusal:
        return
    assert request.complete == llhttp.request(head).ended
