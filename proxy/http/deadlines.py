"""When a client is too late: plain numbers on the loop's clock, watched by one timer.

They do nothing to anybody; `connection` asks them and acts.
"""

import asyncio
import fcntl
import select
import socket
import struct
import termios
from collections.abc import Callable
from math import inf

from proxy.config.settings import Deadlines

LOOK_SECONDS = 0.05  # between two looks after a client whose socket is not read


class Alarm:
    """One timer, moved only where it would ring too late.

    It may ring early: what it rings for may have been put off since. Moving it each time would
    cost each request.
    """

    __slots__ = ("_at", "_loop", "_ring", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self._at = inf

    def by(self, when: float) -> float:
        """See that it rings at `when` or before; return `when`."""
        if when < self._at:
            self.stop()
            self._at = when
            self._timer = self._loop.call_at(when, self._rings)
        return when

    def stop(self) -> None:
        """Do not ring."""
        self._at = inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _rings(self) -> None:
        self._at = inf
        self._timer = None
        self._ring()


class BodyPace:
    """A body must come at `body_rate` bytes a second on average, after `body` seconds."""

    __slots__ = ("_began", "_deadlines", "_mark", "due")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._began = 0.0
        self._mark = 0
        self.due = inf

    def begin(self, now: float, received: int) -> float:
        """Count from now on, `received` bytes having come; return when to look."""
        self._began = now
        self._mark = received
        self.due = now + self._deadlines.body
        return self.due

    def late(self, now: float, received: int) -> bool:
        """Return whether the body is too slow; if not, `due` says when to look again."""
        earned = (received - self._mark) / self._deadlines.body_rate
        self.due = self._began + self._deadlines.body + earned
        return now >= self.due


class SendPace:
    """A client that has something to take must take some of it within `send` seconds."""

    __slots__ = ("_patience", "_since", "_taken", "due")

    def __init__(self, deadlines: Deadlines) -> None:
        self._patience = deadlines.send
        self._taken = 0
        self._since = 0.0
        self.due = inf

    def begin(self, now: float, taken: int) -> float:
        """Count from now on, `taken` bytes having been taken; return when to look."""
        self._taken = taken
        self._since = now
        self.due = now + self._patience / 4
        return self.due

    def late(self, now: float, taken: int) -> bool:
        """Return whether nothing was taken for too long; if not, `due`: when to look again."""
        if taken > self._taken:
            self._taken = taken
            self._since = now
        self.due = min(now + self._patience / 4, self._since + self._patience)
        return now >= self.due


def queued(sock: socket.socket | None) -> int:
    """Return how many bytes the kernel keeps because the client did not take them yet.

    It keeps megabytes, and says that there is room only once a third of them is gone: without
    this, a slow client looks like one that takes nothing. Linux's SIOCOUTQ; elsewhere 0.
    """
    try:
        answer = fcntl.ioctl(-1 if sock is None else sock.fileno(), termios.TIOCOUTQ, bytes(4))
    except (OSError, ValueError):  # closed, or not offered by this system
        return 0
    return int(struct.unpack("i", answer)[0])


def has_left(sock: socket.socket | None) -> bool:
    """Return whether the client closed its side, though what it sent before is still unread.

    No loop watches a socket that it does not read. POLLRDHUP is Linux's; elsewhere only a reset
    is seen this way.
    """
    poll = select.poll()
    try:
        poll.register(-1 if sock is None else sock.fileno(), getattr(select, "POLLRDHUP", 0))
    except (OSError, ValueError):  # closed
        return True
    return bool(poll.poll(0))
