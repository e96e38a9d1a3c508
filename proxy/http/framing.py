"""Where messages begin and end in a stream of bytes, for any cutting of them. Sans-IO.

`Chunks` counts one chunked body (RFC 9112, 7.1), a client's or an upstream's; `Intake` keeps what
a client sent that can't be used yet. llhttp does not say where in its input a message ended, and
what follows a body must pass the gates of `head` before any parser reads it as a head; so chunks
are counted here, strictly: bare hexadecimal sizes, CRLF and nothing else, and a bound on what is
not data.
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
_SMALL_LEFT = {line[:-2]: size + 2 for size, line in enumerate(_SIZES) if size}

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_SIZE = re.compile(
    rb'([0-9A-Fa-f]{1,15})((?:;%b(?:=(?:%b|"[\t !#-\[\]-~]*"))?)*)' % (_TOKEN, _TOKEN)
)
_SIZE_BEGUN = re.compile(rb"[0-9A-Fa-f]{1,15}(?:;[^\r\n]*)?\r?")
_TRAILER_BEGUN = re.compile(rb"[^\r\n]*\r?")
_TRAILER = re.compile(rb"%b:[\t -~\x80-\xff]*" % _TOKEN)
_FRAMING = (b"content-length", b"transfer-encoding", b"host")


class BrokenChunks(Exception):  # a thing to be told, not a fault of ours
    """The bytes are no chunked body that is taken."""


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


class Chunks:
    """One chunked body; `feed` until `ended`."""

    __slots__ = ("_between", "_extra", "_in_trailer", "_left", "_pending", "ended")

    def __init__(self) -> None:
        self.ended = False
        self._between = True  # the next byte begins a chunk
        self._left = 0  # bytes of the present chunk still to come, its CRLF included
        self._in_trailer = False
        self._pending = b""  # a line that is not whole yet
        self._extra = 0

    def feed(self, data: bytes, pieces: list[bytes]) -> bytes:
        """Add the pieces of data in `data` to `pieces`; return what lies behind the body.

        Raises BrokenChunks, with what came before the fault in `pieces`.
        """
        if self._between:  # nearly all of a stream comes a whole small chunk at a time
            length = len(data)
            if length < SMALL and data[-2:] == CRLF:
                line = _LINES[length]
                if line and data[: len(line)] == line:
                    pieces.append(data[len(line) : -2])
                    return b""
        return self._feed(data, pieces)

    def _feed(self, data: bytes, pieces: list[bytes]) -> bytes:
        if self._pending:
            data, self._pending = self._pending + data, b""
        at = 0
        while at < len(data) and not self.ended:
            if self._left:
                at = self._data(data, at, pieces)
                continue
            end = data.find(CRLF, at, at + LINE_BYTES)
            if end < 0:
                self._unfinished(data[at:])
                at = len(data)
                break
            line = data[at:end]
            at = end + 2
            if self._in_trailer:
                self._trailer_line(line)
                continue
            left = _SMALL_LEFT.get(line) or self._size_line(line)
            end = at + left
            if left and data[end - 2 : end] == CRLF:  # a whole chunk: no step for each part of it
                pieces.append(data[at : end - 2])
                at = end
            else:
                self._left = left
        self._between = not (self._left or self._pending or self._in_trailer)
        return data[at:]

    def _data(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        """Take the rest of a chunk, as far as it is there; return where it ends."""
        payload = self._left - len(CRLF)
        if payload > 0:
            piece = data[at : at + payload]
            pieces.append(piece)
            self._left -= len(piece)
            at += len(piece)
        end = at + self._left
        if data[at:end] == CRLF[-self._left :]:
            self._left = 0
            return end
        if self._left == len(CRLF) and data[at:] == CRLF[:1]:
            self._left = 1
        elif at < len(data):
            raise BrokenChunks
        return len(data)

    def _unfinished(self, rest: bytes) -> None:
        """Keep the start of a line, unless it can't become a good one."""
        begun = _TRAILER_BEGUN if self._in_trailer else _SIZE_BEGUN
        if len(rest) >= LINE_BYTES or begun.fullmatch(rest) is None:
            raise BrokenChunks
        self._pending = rest

    def _size_line(self, line: bytes) -> int:
        """Return how many bytes follow, the chunk's CRLF included; 0: it is the last chunk."""
        if line == b"0":  # as nearly all write it
            self._in_trailer = True
            return 0
        match = _SIZE.fullmatch(line)
        if match is None:
            raise BrokenChunks
        self._count(len(match[2]))
        size = int(match[1], 16)
        self._in_trailer = not size
        return size + len(CRLF) if size else 0

    def _trailer_line(self, line: bytes) -> None:
        if not line:
            self.ended = True
            return
        self._count(len(line))
        name = line.partition(b":")[0].lower()
        if _TRAILER.fullmatch(line) is None or name in _FRAMING:
            raise BrokenChunks

    def _count(self, extra: int) -> None:
        self._extra += extra
        if self._extra > EXTRA_BYTES:
            raise BrokenChunks


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
        pieces: list[bytes] = []
        try:
            rest = chunks.feed(data, pieces)
        except BrokenChunks:
            self.give_up(malformed("The chunked body is malformed."))
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
