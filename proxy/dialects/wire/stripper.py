"""Takes unwanted events out of a stream; every other byte passes as it is.

It knows where events begin and end, and asks its `unwanted` about each. An unfinished event is
kept back until its end, unless it grows too large to be the one we look for. What comes out is
the same for any chunking.
"""

import re
from collections.abc import Callable
from typing import Final

MAX_HELD: Final = 64 * 1024  # bytes

# Two line ends in a row; the atomic groups keep a CRLF from counting as two.
END: Final = re.compile(rb"(?>\r\n|\r|\n)(?>\r\n|\r|\n)")
LONGEST_END: Final = 4


class EventStripper:
    """Drops the events for which `unwanted` is true; `marked` is a cheap first look at bytes.

    Both get bytes as they came: `marked` must be true of whatever holds an unwanted event.
    """

    __slots__ = ("_after_cr", "_held", "_marked", "_passing", "_unwanted")

    def __init__(
        self, marked: Callable[[bytes], object], unwanted: Callable[[bytes], bool]
    ) -> None:
        self._marked = marked
        self._unwanted = unwanted
        self._held = b""
        self._passing = False  # inside an event too large to hold
        self._after_cr: bool | None = None  # was an event that ended in CR passed on?

    def feed(self, data: bytes) -> bytes:
        """Return the bytes to pass on now."""
        whole = not self._held and self._after_cr is None and data.endswith(b"\n\n")
        if whole and not self._passing and not self._marked(data):
            return data
        return self._feed(data)

    def flush(self) -> bytes:
        """Return what was kept back; the body is over."""
        held, self._held = self._held, b""
        return held

    def _feed(self, data: bytes) -> bytes:
        out = bytearray()
        if data and self._after_cr is not None:
            if self._after_cr and data.startswith(b"\n"):
                out += b"\n"
            data = data.removeprefix(b"\n")
            self._after_cr = None
        search = max(0, len(self._held) - LONGEST_END)
        buffer = self._held + data
        begin = 0
        for match in END.finditer(buffer, search):
            event = buffer[begin : match.end()]
            begin = match.end()
            wanted = self._passing or len(event) > MAX_HELD or not self._unwanted(event)
            self._passing = False
            if wanted:
                out += event
            if begin == len(buffer) and event.endswith(b"\r"):
                self._after_cr = wanted
        out += self._hold(buffer[begin:])
        return bytes(out)

    def _hold(self, rest: bytes) -> bytes:
        """Keep `rest` back as far as is due; return what is not."""
        if self._passing or len(rest) > MAX_HELD:
            self._passing = True
            self._held = rest[-LONGEST_END:]
            return rest[:-LONGEST_END]
        self._held = rest
        return b""


class Untouched:
    """The stripper of a stream that has nothing to be taken out."""

    __slots__ = ()

    def feed(self, data: bytes) -> bytes:
        """Return `data`."""
        return data

    def flush(self) -> bytes:
        """Return nothing: nothing was kept back."""
        return b""
