"""The writer: lines leave for a file descriptor on a thread of their own.

Whoever writes never waits: lines go into a bounded queue, and where the reader is behind, hung
or gone, they are dropped and counted. It knows nothing of what a line says.
"""

import os
import select
import stat
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TextIO

PIPE_ATOMIC = select.PIPE_BUF  # bytes that no other process's write can land within
CHUNK = 1024 * 1024
LINES = 20_000  # kept at most: some 20 MB


class LineWriter:
    """Writes lines to `stream`'s descriptor; the thread starts with the first line."""

    def __init__(self, stream: TextIO, *, lines: int = LINES) -> None:
        self._stream = stream  # kept so that nobody closes it under us
        self._fd = stream.fileno()
        self._limit = lines
        self._queue: list[bytes] = []
        self._left = 0  # lines not written yet: those of the queue and those in the thread's hands
        self._changed = threading.Condition()  # held for moments, never while anything is written
        self._thread: threading.Thread | None = None
        self._closing = False
        self._torn = False  # a line was cut short: the next one begins on a new line
        self._chunk = PIPE_ATOMIC if stat.S_ISFIFO(os.fstat(self._fd).st_mode) else CHUNK
        self.dropped = 0  # lines that were not written, ever

    def write(self, *lines: bytes) -> None:
        """Take lines, each without its newline; never waits."""
        with self._changed:
            room = 0 if self._closing else self._limit - self._left
            if len(lines) > room:
                self.dropped += len(lines) - room
                lines = lines[:room]
            self._queue += lines
            self._left += len(lines)
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                self._thread.start()

    def flush(self, seconds: float) -> bool:
        """Wait until all lines taken were written; False: `seconds` were too few."""
        if self._thread is None or not self._thread.is_alive():
            return True
        with self._changed:
            return self._changed.wait_for(lambda: not self._left, seconds)

    def close(self, seconds: float = 2.0) -> bool:
        """Write what was taken, then end; False: `seconds` passed and lines were dropped."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        written = self.flush(seconds)
        if not written:
            with self._changed:
                self.dropped += self._left
        elif self._thread is not None:
            self._thread.join(seconds)
        return written

    def _run(self) -> None:
        while lines := self._next():
            for block in blocks(lines, self._chunk):
                self._write_out(block)

    def _next(self) -> list[bytes]:
        """Return the lines that wait, once there are any; none: there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            lines, self._queue = self._queue, []
            return lines

    def _write_out(self, lines: Sequence[bytes]) -> None:
        dropped = 0
        try:
            self._write_all(b"\n".join((*lines, b"")))
        except OSError:  # the reader is gone or the disk is full: nobody to tell but the count
            dropped = len(lines)
        with self._changed:
            self.dropped += dropped
            self._left -= len(lines)
            self._changed.notify_all()

    def _write_all(self, data: bytes) -> None:
        rest = memoryview(b"\n" + data if self._torn else data)
        self._torn = False
        whole = len(rest)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                select.select([], [self._fd], [])
            except OSError:
                self._torn = len(rest) < whole
                raise


def blocks(lines: Sequence[bytes], most: int) -> Iterator[Sequence[bytes]]:
    """Yield as many lines at a time as `most` bytes hold; one at least."""
    ends = list(accumulate((len(line) + 1 for line in lines), initial=0))
    start = 0
    while start < len(lines):
        stop = max(start + 1, bisect_right(ends, ends[start] + most) - 1)
        yield lines[start:stop]
        start = stop
