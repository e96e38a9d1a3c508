"""Reading one reply after another off a connection's bytes, without any I/O.

llhttp reads the heads, strictly; what frames a body stands in its head. It knows what is too much
or makes no sense; it knows no time, no socket, and nothing of what the bodies mean. An upstream's
heads mostly differ in their Content-Length alone, or not at all: those are read once.
"""

import httptools
from msgspec import Struct

from proxy.http import BrokenChunks, Chunks, Headers, HeadMemory

HEAD_BYTES = 64 * 1024  # of a head, interim ones before it included
HEADER_COUNT = 200
INTERIM_REPLIES = 10  # 1xx heads before the final one
BODILESS = frozenset({204, 304})


class ResponseHead(Struct, frozen=True, eq=False):
    """A reply's head, all but its Content-Length; `kept`: replies that follow may share it."""

    status: int
    reason: bytes
    headers: Headers
    kept: bool = False


class Framed(Struct, frozen=True, eq=False):
    """A head and what it says of framing; `alive`: it lets its connection live on."""

    head: ResponseHead
    chunked: bool
    alive: bool


class BadReply(Exception):  # a thing to be told, not a fault of ours
    """The bytes are no reply that we take."""


ReplyHeads = HeadMemory[Framed]  # of one upstream's replies


class ReplyReader:
    """One connection's replies, read strictly one at a time.

    Call `expect` before each request, then `feed` what arrives: `head` is set once it is there,
    and `length`, the Content-Length, None: chunked, or until close; `body` gathers decoded pieces
    (whoever takes them clears it), `complete` says that the reply is whole, and then `keep_alive`
    whether another may follow on the connection.
    """

    __slots__ = (
        "_alive",
        "_begun",
        "_chunks",
        "_framed",
        "_head_bytes",
        "_headers",
        "_heads",
        "_interim",
        "_left",
        "_no_body",
        "_parser",
        "_reason",
        "_transfer_encoding",
        "body",
        "complete",
        "head",
        "keep_alive",
        "length",
        "started",
    )

    def __init__(self, heads: ReplyHeads) -> None:
        self._heads = heads
        self.body: list[bytes] = []
        self._parser: httptools.HttpResponseParser | None = None
        self.complete = False

    def expect(self, *, no_body: bool = False) -> None:
        """Get ready for the next reply; `no_body`: the request was a HEAD."""
        self._no_body = no_body
        self.head: ResponseHead | None = None
        self.length: int | None = None
        self.complete = False
        self.keep_alive = False
        self.started = False  # a byte of a reply that is not interim has arrived
        self._begun = b""  # of a head that is not whole yet
        self._head_bytes = 0  # of heads that were whole
        self._interim = 0
        self._framed: Framed | None = None
        self._alive = False
        self._chunks: Chunks | None = None  # of a body that comes in them
        self._left: int | None = None  # bytes of a body that is counted
        self.body.clear()

    def feed(self, data: bytes) -> None:
        """Read on; raises BadReply. What of the body came before the fault is in `body`."""
        chunks = self._chunks
        if chunks is not None:
            try:
                rest = chunks.feed(data, self.body)
            except BrokenChunks:
                raise BadReply("its chunks are malformed") from None
            if chunks.ended:
                self._chunks = None
                self._end(rest)
        elif self._left is not None:
            self._count(data, self._left)
        elif self.head is None:
            self._read_heads(data)
        elif self.complete:
            self.keep_alive = False  # bytes nobody asked for: the reply is whole all the same
        else:
            self.body.append(data)

    def end(self) -> bool:
        """Return whether the reply is whole, now that the peer sends no more."""
        if self.head is not None and self._chunks is None and self._left is None:
            self.complete = True
        return self.complete

    def close(self) -> None:
        """Let go of the parser, which would hold this reader in a cycle."""
        self._parser = None

    def _count(self, data: bytes, left: int) -> None:
        """Take the next bytes of a body of which `left` are to come."""
        self._left = left - len(data)
        if self._left <= 0:
            self._left = None
            self._end(data[left:])
            data = data[:left]
        if data:
            self.body.append(data)

    def _end(self, surplus: bytes) -> None:
        self.complete = True
        self.keep_alive = self._alive and not surplus

    # Heads.

    def _read_heads(self, data: bytes) -> None:
        """Read heads to the final one, then what follows it."""
        while data and self.head is None:
            data = self._read_head(data)
        if data:
            self.feed(data)

    def _read_head(self, data: bytes) -> bytes:
        """Read a head, which need be neither whole nor final; return what lies behind it."""
        begun = len(self._begun)
        raw = self._begun + data if begun else data
        end = raw.find(b"\r\n\r\n", max(0, begun - 3)) + 4
        whole = end >= 4
        size = end if whole else len(raw)
        if self._head_bytes + size > HEAD_BYTES:
            raise BadReply("its head is too large")
        if not whole:
            self._parse(data)  # what is no head is told as soon as can be
            self._begun = raw
            return b""
        self._begun = b""
        self._head_bytes += end
        self._take_head(raw[:end], begun)
        return raw[end:]

    def _take_head(self, raw: bytes, parsed: int) -> None:
        """Take a whole head, of which llhttp has seen the first `parsed` bytes."""
        known, length = self._heads.find(raw)
        if known is None:
            self._parse(raw[parsed:])
            known = self._framed
            if known is not None and length == self.length:  # its length is what else it says
                head = known.head
                kept = ResponseHead(head.status, head.reason, head.headers, kept=True)
                self._heads.keep(raw, Framed(kept, known.chunked, known.alive))
        else:
            self.started = True
            self.length = length
        self._parser = None  # whatever comes next is a body, or begins anew
        if known is not None:
            self._frame(known)

    def _frame(self, framed: Framed) -> None:
        """Take a final head, and get ready for its body."""
        self.head = framed.head
        self._alive = framed.alive
        if self._no_body or framed.head.status in BODILESS:
            self._end(b"")
        elif framed.chunked:
            self._chunks = Chunks()
        elif self.length is not None:
            self._count(b"", self.length)

    def _parse(self, data: bytes) -> None:
        if self._parser is None:
            self._parser = httptools.HttpResponseParser(self)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise BadReply(str(error.__context__ or error)) from None

    # What llhttp calls.

    def on_message_begin(self) -> None:
        """Start a head."""
        self.started = True
        self.length = None
        self._headers: Headers = []
        self._reason = b""
        self._transfer_encoding = b""

    def on_status(self, reason: bytes) -> None:
        """Take a piece of the reason phrase."""
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header."""
        size = len(name)
        if size == 14 and name.lower() == b"content-length":
            self.length = int(value)
            return
        self._headers.append((name, value))
        if len(self._headers) > HEADER_COUNT:
            raise BadReply("it has too many headers")
        if size == 17 and name.lower() == b"transfer-encoding":
            self._transfer_encoding += value.strip().lower() or b"?"

    def on_headers_complete(self) -> None:
        """Make the head of what was read, unless it is an interim one."""
        parser = self._parser
        assert parser is not None  # noqa: S101  # it is calling us
        status = parser.get_status_code()
        if status < 200:
            self._note_interim(status)
            return
        version = parser.get_http_version()
        if version != "1.1" and (version != "1.0" or self._transfer_encoding):
            raise BadReply("its version or framing is not HTTP/1.1's")
        if self._transfer_encoding and self._transfer_encoding != b"chunked":
            raise BadReply("its transfer coding is not chunked")
        reason = self._reason
        if reason != b"OK" and not (reason.isascii() and reason.decode("ascii").isprintable()):
            reason = b""
        head = ResponseHead(status, reason, self._headers)
        self._framed = Framed(head, bool(self._transfer_encoding), parser.should_keep_alive())

    def _note_interim(self, status: int) -> None:
        self._interim += 1
        self.started = False
        if status < 100 or status == 101 or self._interim > INTERIM_REPLIES:
            raise BadReply("its interim replies make no sense")
