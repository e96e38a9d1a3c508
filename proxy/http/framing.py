"""Where requests begin and end in what a client sends, for any cutting of its bytes. Sans-IO.

`Intake` keeps what can't be used yet; `Chunks` counts one chunked body (RFC 9112, 7.1). llhttp
does not say where in its input a message ended, and what follows a body must pass the gates of
`head` before any parser reads it as a head; so chunks are counted here, strictly: bare
hexadecimal sizes, CRLF and nothing else, and a bound on what is not data.
"""

import re

from proxy.config.settings import Limits
from proxy.errors import Refusal
from proxy.http.head import check_size, check_unfinished, malformed
from proxy.http.request import Request

LINE_BYTES = 1024  # one size line or trailer line
EXTRA_BYTES = 16 * 1024  # extensions and trailers of one body together

SMALL = 2048  # bytes of a chunk, its framing included; such ones are written and read at a glance
CRLF = b"\r\n"
_SIZES = tuple([b"%x\r\n" % size for size in range(SMALL)])

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_SIZE = re.compile(
    rb'([0-9A-Fa-f]{1,15})((?:;%b(?:=(?:%b|"[\t !#-\[\]-~]*"))?)*)' % (_TOKEN, _TOKEN)
)
_TRAILER = re.compile(rb"%b:[\t -~\x80-\xff]*" % _TOKEN)
_FRAMING = (b"content-length", b"transfer-encoding", b"host")

_BROKEN = "The chunked body is malformed."


def chunk(data: bytes) -> bytes:
    """Return `data`, which is not empty, as one chunk."""
    size = len(data)
    return (_SIZES[size] if size < SMALL else b"%x\r\n" % size) + data + CRLF


def lines_by_length() -> list[bytes]:
    """Return, at the length of each small chunk as `chunk` writes it, its first line."""
    lines = [b""] * SMALL
    for size in range(1, SMALL):
        length = len(_SIZES[size]) + size + len(CRLF)
        if length < SMALL:
            lines[length] = _SIZES[size]
    return lines


_LINES = lines_by_length()


def in_chunk(data: bytes) -> bytes:
    """Return what stands in `data` if that is one small chunk as `chunk` writes it, else nothing.

    `data` must begin where a chunk does.
    """
    length = len(data)
    if length < SMALL and data[-2:] == CRLF:
        line = _LINES[length]
        if line and data[: len(line)] == line:
            return data[len(line) : -2]
    return b""


class Chunks:
    """One chunked body; `feed` until `ended`."""

    __slots__ = ("_extra", "_in_trailer", "_left", "_pending", "ended")

    def __init__(self) -> None:
        self.ended = False
        self._left = 0  # bytes of the present chunk still to come, its CRLF included
        self._in_trailer = False
        self._pending = b""  # a line that is not whole yet
        self._extra = 0

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Return the pieces of data in `data` and what lies behind the body; Refusal(400)."""
        pieces: list[bytes] = []
        if self._pending:
            data, self._pending = self._pending + data, b""
        at = 0
        while at < len(data) and not self.ended:
            if self._left:
                at = self._data(data, at, pieces)
                continue
            end = data.find(b"\r\n", at, at + LINE_BYTES)
            if end < 0:
                self._unfinished(data[at:])
                return pieces, b""
            line = data[at:end]
            if self._in_trailer:
                self._trailer_line(line)
            else:
                self._size_line(line)
            at = end + 2
        return pieces, data[at:]

    def _data(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        payload = self._left - 2
        if payload > 0:
            piece = data[at : at + payload]
            pieces.append(piece)
            self._left -= len(piece)
            return at + len(piece)
        if data[at] != b"\n\r"[self._left - 1]:
            raise malformed(_BROKEN)
        self._left -= 1
        return at + 1

    def _unfinished(self, rest: bytes) -> None:
        """Keep the start of a line, unless it can't become a good one."""
        if len(rest) >= LINE_BYTES or b"\n" in rest or b"\r" in rest[:-1]:
            raise malformed(_BROKEN)
        self._pending = rest

    def _size_line(self, line: bytes) -> None:
        match = _SIZE.fullmatch(line)
        if match is None:
            raise malformed(_BROKEN)
        self._count(len(match[2]))
        size = int(match[1], 16)
        if size:
            self._left = size + 2
        else:
            self._in_trailer = True

    def _trailer_line(self, line: bytes) -> None:
        if not line:
            self.ended = True
            return
        self._count(len(line))
        name = line.partition(b":")[0].lower()
        if _TRAILER.fullmatch(line) is None or name in _FRAMING:
            raise malformed(_BROKEN)

    def _count(self, extra: int) -> None:
        self._extra += extra
        if self._extra > EXTRA_BYTES:
            raise malformed(_BROKEN)


class Intake:
    """What one client sent and nobody took yet, and the request whose body is on its way."""

    __slots__ = ("_chunks", "_limits", "_scanned", "broken", "receiving", "waiting")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.waiting: bytes | bytearray = b""
        self._scanned = 0  # bytes of it known to hold no end of a head
        self._chunks: Chunks | None = None
        self.receiving: Request | None = None  # its body is not whole yet
        self.broken = False  # what comes can't be told apart any more, and is thrown away

    def hold(self, data: bytes) -> None:
        """Keep `data` for later."""
        if self.broken:
            return
        if not self.waiting:
            self.waiting = data
            return
        if isinstance(self.waiting, bytes):
            self.waiting = bytearray(self.waiting)
        self.waiting += data

    def head(self) -> bytes | None:
        """Return the next whole head, blank line included; None: not yet; or raise Refusal."""
        if self.waiting.startswith(b"\r"):
            self._skip_blank_lines()
        data = self.waiting
        end = data.find(b"\r\n\r\n", self._scanned - 3 if self._scanned > 3 else 0) + 4
        if end < 4:
            check_unfinished(data, self._scanned, self._limits)
            self._scanned = len(data)
            return None
        if end > self._limits.target_bytes:
            check_size(data, end, self._limits)
        if isinstance(data, bytearray):
            data = bytes(data)
        self._scanned = 0
        self.waiting = data[end:]
        return data[:end]

    def _skip_blank_lines(self) -> None:
        """Skip what some clients send behind a body (RFC 9112, 2.2)."""
        data = self.waiting
        at = 0
        while data.startswith(b"\r\n", at):
            at += 2
        self.waiting = bytes(data[at:])
        self._scanned = 0

    def expect(self, request: Request) -> None:
        """Take what comes next as the body of `request`."""
        self.receiving = request
        self._chunks = Chunks() if request.head.chunked else None
        data = self.waiting
        if data:
            self.waiting = b""
            self.waiting = self.body(bytes(data))

    def body(self, data: bytes) -> bytes:
        """Give `data` to the request that is received; return what lies behind its body."""
        request = self.receiving
        if request is None:
            return data
        if self._chunks is not None:
            return self._chunked(request, self._chunks, data)
        missing = (request.content_length or 0) - request.received
        if len(data) < missing:
            request.feed(data)
            return b""
        self.receiving = None
        request.feed(data[:missing])
        request.end()
        return data[missing:]

    def _chunked(self, request: Request, chunks: Chunks, data: bytes) -> bytes:
        try:
            pieces, rest = chunks.feed(data)
        except Refusal as refusal:
            self.give_up(refusal)
            return b""
        if pieces:
            request.feed(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if chunks.ended:
            self.receiving = None
            request.end()
        return rest

    def give_up(self, refusal: Refusal) -> None:
        """Tell the request that its body will never be whole, and throw away what comes."""
        self.broken = True
        self.waiting = b""
        request, self.receiving = self.receiving, None
        if request is not None:
            request.fail(refusal)
