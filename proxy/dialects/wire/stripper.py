"""Takes unwanted events out of a stream; every other byte passes as it is.

It knows where events begin and end, and asks its `unwanted` about each. An unfinished event is
kept back until its end, unless it grows too large to be the one we look for. What comes out is
the same for any chunking.
"""

import re
from collections.abc import Callable
from typing import Final

from proxy.dialects.wire.sse import CR

MAX_HELD: Final = 64 * 1024  # bytes

# Two line ends in a row; the atomic groups keep a CRLF from counting as two.
END: Final = re.compile(rb"(?>\r\n|\r|\n)(?>\r\n|\r|\n)")
LINE_ENDS: Final = b"\r\n"
LONGEST_END: Final = 4


class EventStripper:
    """Drops the events for which `unwanted` is true; `word` and `marked` are cheap first looks.

    All are about bytes as they came: whatever holds an unwanted event must hold `word`, and
    `marked` must be true of it.
    """

    __slots__ = (
        "_between",
        "_drop_lf",
        "_held",
        "_limit",
        "_marked",
        "_passing",
        "_unwanted",
        "_word",
    )

    def __init__(
        self,
        word: bytes,
        marked: Callable[[bytes], object],
        unwanted: Callable[[bytes], bool],
        limit: int = MAX_HELD,
    ) -> None:
        self._word = word
        self._marked = marked
        self._unwanted = unwanted
        self._limit = limit
        self._between = True  # events: none of the following
        self._held = b""
        self._passing = False  # inside an event too large to hold
        self._drop_lf = False  # the last event was dropped up to a CR: a LF would belong to it

    def feed(self, data: bytes) -> bytes:
        """Return the bytes to pass on now."""
        whole = self._between and data[-2:] == b"\n\n"
        if whole and (self._word not in data or not self._marked(data)):
            return data
        odd = CR in data or b"\n\n\n" in data or data[:1] == b"\n"
        if whole and not odd and len(data) <= self._limit:
            events = data[:-2].split(b"\n\n")
            return b"".join([event + b"\n\n" for event in events if not self._unwanted(event)])
        kept = self._feed(data)
        self._between = not (self._held or self._drop_lf or self._passing)
        return kept

    def flush(self) -> bytes:
        """Return what was kept back; the body is over."""
        held, self._held = self._held, b""
        return held

    def _feed(self, data: bytes) -> bytes:
        if data and self._drop_lf:
            self._drop_lf = False
            data = data.removeprefix(b"\n")
        out = bytearray()
        search = max(0, len(self._held) - LONGEST_END)
        buffer = self._held + data
        begin = 0
        for match in END.finditer(buffer, search):
            block = buffer[begin : match.end()]
            begin = match.end()
            event = block.lstrip(LINE_ENDS)
            if self._passing or self._too_large(event) or not (event and self._unwanted(event)):
                out += block
            else:
                out += block[: -len(event)]
                self._drop_lf = begin == len(buffer) and event.endswith(b"\r")
            self._passing = False
        out += self._hold(buffer[begin:])
        return bytes(out)

    def _hold(self, rest: bytes) -> bytes:
        """Keep `rest` back as far as is due; return what is not."""
        # Blank lines before an event are no part of it: they need not wait for its end.
        held = rest if self._passing else rest.lstrip(LINE_ENDS)
        if self._passing or self._too_large(held):
            self._passing = True
            held = held[-LONGEST_END:]
        self._held = held
        return rest[: len(rest) - len(held)]

    def _too_large(self, event: bytes) -> bool:
        """Return whether an event can't be held; its end does not count, it may be cut."""
        return len(event.rstrip(LINE_ENDS)) > self._limit


class Untouched:
    """The stripper of a stream that has nothing to be taken out."""

    __slots__ = ()

    def feed(self, data: bytes) -> bytes:
        """Return `data`."""
        return data

    def flush(self) -> bytes:
        """Return nothing: nothing was kept back."""
        return b""
