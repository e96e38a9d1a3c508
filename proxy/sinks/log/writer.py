"""The writer: lines leave for a file descriptor on a thread of their own.

Whoever writes never waits: a line goes into a bounded queue, and where the reader is behind,
hung or gone, lines are dropped and counted. It knows nothing of what a line says.
"""

import os
import select
import stat
import threading
from collections import deque
from typing import TextIO

PIPE_ATOMIC = select.PIPE_BUF  # bytes that no other process's write can land within
CHUNK = 64 * 1024
LINES = 20_000  # kept at most: some 20 MB


class LineWriter:
    """Writes lines to `stream`'s descriptor; the thread starts with the first line."""

    def __init__(self, stream: TextIO, *, lines: int = LINES) -> None:
        self._stream = stream  # kept so that nobody closes it under us
        self._fd = stream.fileno()
        self._limit = lines
        self._queue: deque[bytes | threading.Event] = deque()
        self._wake = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._torn = False  # a line was cut short: the next one begins on a new line
        self._chunk = PIPE_ATOMIC if stat.S_ISFIFO(os.fstat(self._fd).st_mode) else CHUNK
        self._refused = 0  # by whoever writes
        self._failed = 0  # by the thread: each counter has one writer

    @property
    def dropped(self) -> int:
        """How many lines were not written, ever."""
        return self._refused + self._failed

    def write(self, line: bytes) -> None:
        """Take one line, newline included; never waits."""
        if len(self._queue) >= self._limit or self._closing:
            self._refused += 1
            return
        self._queue.append(line)
        if not self._wake.is_set():
            self._wake.set()
            if self._thread is None:
                self._start()

    def flush(self, seconds: float) -> bool:
        """Wait until all lines taken so far were written; False: `seconds` were too few."""
        if self._thread is None or not self._thread.is_alive():
            return True
        written = threading.Event()
        self._queue.append(written)
        self._wake.set()
        return written.wait(seconds)

    def close(self, seconds: float = 2.0) -> bool:
        """Write what was taken, then end; False: `seconds` passed and lines were dropped."""
        self._closing = True
        written = self.flush(seconds)
        if not written:
            left = sum(isinstance(line, bytes) for line in list(self._queue))
            self._refused += left
        self._wake.set()
        if self._thread is not None and written:
            self._thread.join(seconds)
        return written

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not (self._closing and not self._queue):
            self._wake.wait()
            self._wake.clear()
            while self._queue:
                self._write_some()

    def _write_some(self) -> None:
        """Write as many whole lines as one write should carry."""
        lines: list[bytes] = []
        size = 0
        while self._queue:
            line = self._queue[0]
            if isinstance(line, threading.Event):
                if lines:
                    break
                self._queue.popleft()
                line.set()
                return
            if lines and size + len(line) > self._chunk:
                break
            lines.append(line)
            size += len(line)
            self._queue.popleft()
        try:
            self._write_all(b"".join(lines))
        except OSError:  # the reader is gone or the disk is full: nobody to tell but the count
            self._failed += len(lines)

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
