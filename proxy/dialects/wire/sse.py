"""Server-sent events out of a stream of bytes, the same for any chunking.

The grammar is the WHATWG's (HTML, "Interpreting an event stream"): LF, CR or CRLF, a leading
BOM, comments, many data lines. `id` and `retry` mean nothing here, and one field more is known:
`error`, which older llama.cpp servers write in place of `data`. It knows nothing of JSON.
"""

from typing import Final

Event = tuple[bytes, bytes]  # the event's name (b"": none) and its data

MAX_EVENT: Final = 16 * 1024 * 1024  # bytes: room for pictures; a larger event is skipped, counted
CR: Final = 13  # looked for as a number, which costs a tenth of looking for b"\r"
LF: Final = 10
BOM: Final = b"\xef\xbb\xbf"


class Events:
    """Finds the events of one stream; it keeps at most one unfinished event, bounded."""

    __slots__ = ("_after_cr", "_begun", "_buffer", "_limit", "_plain", "_skipping", "oversized")

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._begun = False  # past a possible BOM
        self._after_cr = False  # a LF now would belong to a line that was already ended
        self._skipping = False  # inside an event that is too large
        self._plain = True  # the next byte begins an event, or would but for a BOM
        self.oversized = 0

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that `data` completes."""
        # Nearly every chunk of every stream is whole events, most are one: that way is short.
        if self._plain and CR not in data and len(data) <= self._limit:
            line, _, rest = data.partition(b"\n")
            if rest == b"\n" and line[:6] == b"data: " != line:
                self._begun = True
                return [(b"", line[6:])]
            if self._begun and data[-2:] == b"\n\n":
                return [event for block in data[:-2].split(b"\n\n") for event in parse(block)]
        return self._feed(data)

    def whole(self, data: bytes) -> list[bytes]:
        """Return the data of events where `data` is whole ones, of one line of data each.

        None, and nothing is taken, where it is not: then it is to be fed.
        """
        if not self._plain or CR in data or len(data) > self._limit:
            return []
        if data[:6] != b"data: " or data[-2:] != b"\n\n":
            return []
        found = data[6:-2].split(b"\n\ndata: ")
        if LF in b"".join(found) or b"" in found:
            return []
        self._begun = True
        return found

    def flush(self) -> list[Event]:
        """Return the event that was begun and not ended, if there is one; the stream is over."""
        block = bytes(self._buffer)
        self._buffer.clear()
        if self._skipping or len(block) > self._limit:
            self._skipping = False
            self.oversized += 1
            return []
        return parse(block)

    def _feed(self, data: bytes) -> list[Event]:
        if not self._begun:
            data = self._begin(data)
        if data and self._after_cr:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        if CR in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        found = self._take(data)
        self._bound()
        self._plain = self._begun and not (self._buffer or self._after_cr or self._skipping)
        return found

    def _begin(self, data: bytes) -> bytes:
        """Return `data` without a BOM at the stream's start; b"" while that may be cut."""
        data = bytes(self._buffer) + data
        self._buffer.clear()
        if len(data) < len(BOM) and BOM.startswith(data):
            self._buffer += data
            return b""
        self._begun = True
        return data.removeprefix(BOM)

    def _take(self, data: bytes) -> list[Event]:
        """Return the events that end in `data`; keep what follows the last one."""
        buffer = self._buffer
        if buffer or self._skipping:
            search = max(0, len(buffer) - 1)
            buffer += data
            if buffer.find(b"\n\n", search) < 0:
                return []
            data = bytes(buffer)
        *blocks, rest = data.split(b"\n\n")
        found: list[Event] = []
        for block in blocks:
            if self._skipping or len(block.lstrip(b"\n")) > self._limit:
                self._skipping = False
                self.oversized += 1
            else:
                found += parse(block)
        buffer[:] = rest.lstrip(b"\n")  # blank lines before an event are no part of it
        return found

    def _bound(self) -> None:
        buffer = self._buffer
        if self._skipping or len(buffer) > self._limit + 1:  # one may be half of the end
            self._skipping = True
            del buffer[: -1 if buffer.endswith(b"\n") else None]


def parse(block: bytes) -> list[Event]:
    """Return the one event of a block of lines that end with LF, or none."""
    head, _, data = block.partition(b"data: ")
    if data and b"\n" not in data:  # as nearly all are: one line of data, after a name perhaps
        if not head:
            return [(b"", data)]
        if head.startswith(b"event: ") and head.find(b"\n") == len(head) - 1:
            return [(head[7:-1], data)]
    return parse_lines(block)


def parse_lines(block: bytes) -> list[Event]:
    """Return the one event of a block of any lines, or none."""
    name = b""
    lines: list[bytes] = []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            lines.append(value)
        elif field == b"event":
            name = value
        elif field == b"error":
            name = field
            lines.append(value)
    data = b"\n".join(lines)
    return [(name, data)] if data else []
