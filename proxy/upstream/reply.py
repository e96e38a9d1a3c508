"""Reading one reply after another off a connection's bytes, without any I/O.

It knows HTTP/1.1 framing (llhttp does the reading, strictly) and what is too much or makes no
sense. It knows no time, no socket, and nothing of what the bodies mean. An upstream's heads mostly
differ in their Content-Length alone, so the rest is read once (`HeadMemory`).
"""

import httptools
from msgspec import Struct

from proxy.http import Headers, HeadMemory, in_chunk

HEAD_BYTES = 64 * 1024  # of a head, interim ones before it included; of trailers
HEADER_COUNT = 200
INTERIM_REPLIES = 10  # 1xx heads before the final one
BODILESS = frozenset({204, 304})
NOT_WHOLE = (None, None)


class ResponseHead(Struct, frozen=True, eq=False):
    """A reply's head, all but its Content-Length; `kept`: replies that follow may share it."""

    status: int
    reason: bytes
    headers: Headers
    kept: bool = False


class BadReply(Exception):  # a thing to be told, not a fault of ours
    """The bytes are no reply that we take."""


# The heads of one upstream's replies, and whether each lets its connection live on.
ReplyHeads = HeadMemory[tuple[ResponseHead, bool]]


class ReplyReader:
    """One connection's replies, read strictly one at a time.

    Call `expect` before each request, then `feed` what arrives: `head` is set once it is there,
    and `length`, the Content-Length, None: chunked, or until close; `body` gathers decoded pieces
    (whoever takes them clears it), `complete` says that the reply is whole, and then `keep_alive`
    whether another may follow on the connection.
    """

    __slots__ = (
        "_alive",
        "_barren",
        "_between",
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
        "on_body",
        "started",
    )

    def __init__(self, heads: ReplyHeads) -> None:
        self._heads = heads
        self.body: list[bytes] = []
        self.on_body = self.body.append  # llhttp calls it with no Python frame between
        self._parser: httptools.HttpResponseParser | None = None
        self._no_body = True  # so that `expect` makes the first parser
        self.complete = False

    def expect(self, *, no_body: bool = False) -> None:
        """Get ready for the next reply; `no_body`: the request was a HEAD."""
        if self._no_body:  # llhttp can't be told: it would wait for the body it was promised
            self._parser = httptools.HttpResponseParser(self)
        self._no_body = no_body
        self.head: ResponseHead | None = None
        self.length: int | None = None
        self.complete = False
        self.keep_alive = False
        self.started = False  # a byte of a reply that is not interim has arrived
        self._between = False  # chunks: the next byte begins one
        self._interim = 0
        self._barren = 0
        self._left: int | None = None  # bytes of a body that is counted here; None: by llhttp
        self.body.clear()

    def feed(self, data: bytes) -> None:
        """Read on; raises BadReply. What of the body came before the fault is in `body`."""
        if self._between:
            piece = in_chunk(data)
            if piece:  # as is nearly all of a stream: llhttp, which stands after a chunk, may stay
                self.body.append(piece)
                return
        if self._left is not None:
            self._count(data, self._left)
        elif self.started or self._no_body:
            self._parse(data)
        else:
            self._begin(data)

    def _begin(self, data: bytes) -> None:
        """Read the first bytes of a reply: its whole head, most of the time."""
        end = data.find(b"\r\n\r\n") + 4
        known, length = self._heads.find(data[:end]) if end >= 4 else NOT_WHOLE
        if known is not None and length is not None:
            self.started = True
            self.head, self._alive = known
            self.length = length
            self._count(data[end:], length)
            return
        self._parse(data)
        head = self.head
        # Only what its own digits frame is kept: bodies in chunks or until the close are llhttp's.
        framed = length is not None and length == self.length and not self._interim
        if framed and head is not None and head.status not in BODILESS:
            kept = ResponseHead(head.status, head.reason, head.headers, kept=True)
            self._heads.keep(data[:end], (kept, self._alive))

    def _count(self, data: bytes, left: int) -> None:
        """Take the next bytes of a body of which `left` are to come."""
        self._left = left - len(data)
        if self._left <= 0:
            self.complete = True
            self.keep_alive = self._alive and self._left == 0  # else: bytes nobody asked for
            self._left = None
            data = data[:left]
        if data:
            self.body.append(data)

    def _parse(self, data: bytes) -> None:
        parser = self._parser
        if parser is None:
            raise BadReply("the reader is closed")
        headless = self.head is None
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.complete:
                raise BadReply(str(error.__context__ or error)) from None
            self.keep_alive = False  # bytes that nobody asked for: the reply is whole all the same
        if self._between and data[-2:] != b"\r\n":  # the next chunk's first line has begun
            self._between = False
        if headless and self.head is not None:
            self._check_head(len(data))
        elif not self.body and not self.complete:
            self._count_barren(len(data))
        if self._no_body and self.body:
            self.body.clear()
            self.keep_alive = False

    def end(self) -> bool:
        """Return whether the reply is whole, now that the peer sends no more."""
        if self.head is None:
            return False
        if not self.complete and self.length is None and not self._transfer_encoding:
            self.complete = True
        return self.complete

    def close(self) -> None:
        """Let go of the parser, which would hold this reader in a cycle."""
        self._parser = None

    def _count_barren(self, size: int) -> None:
        # Heads, trailers and chunk extensions: the parser keeps them in memory.
        self._barren += size
        if self._barren > HEAD_BYTES:
            raise BadReply("its head or trailers are too large")

    def _check_head(self, size: int) -> None:
        if self._barren + size > HEAD_BYTES:  # perhaps: the body's first bytes are among them
            size = sum(len(name) + len(value) + 4 for name, value in self._headers)
            if size > HEAD_BYTES:
                self.head = None
                raise BadReply("its head is too large")
        self._barren = 0

    # What llhttp calls.

    def on_message_begin(self) -> None:
        """Start a head."""
        if self.complete:
            raise BadReply("bytes after the reply")
        self.started = True
        self.length = None
        self._headers: Headers = []
        self._reason = b""
        self._transfer_encoding = b""

    def on_status(self, reason: bytes) -> None:
        """Take a piece of the reason phrase."""
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header; trailers are counted and dropped."""
        size = len(name)
        if size == 14 and name.lower() == b"content-length":
            if self.head is None:  # else a trailer
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
        headers = self._headers
        self.head = ResponseHead(status, reason, headers)
        self._alive = parser.should_keep_alive()
        self._headers = headers.copy() if self._transfer_encoding else headers
        if self._no_body:
            self.on_message_complete()

    def on_chunk_header(self) -> None:
        """Note that a chunk has begun."""
        self._between = False

    def on_chunk_complete(self) -> None:
        """Note that a chunk is whole."""
        self._between = True

    def on_message_complete(self) -> None:
        """Note that the reply is whole."""
        if self.head is None:  # an interim one
            self.started = False
            return
        assert self._parser is not None  # noqa: S101  # it is calling us
        self.complete = True
        self._between = False
        self.keep_alive = self._parser.should_keep_alive()

    def _note_interim(self, status: int) -> None:
        self._interim += 1
        if status < 100 or status == 101 or self._interim > INTERIM_REPLIES:
            raise BadReply("its interim replies make no sense")
