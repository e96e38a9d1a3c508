"""Copies: which exchanges' bodies are kept, and their beginning, held until the exchange ends.

Which ones is decided by the request's id, so alike wherever it is asked, and not by what the
split goes by. A copy gives way to traffic: where a worker's copies hold as much as they may, one
is lost, which is said of it. Where nothing is kept, no chunk comes by here.
"""

from collections.abc import Callable
from typing import Final

from proxy.config.settings import BodySettings
from proxy.exchange import Bodies
from proxy.routing.split import BUCKETS, bucket

SALT: Final = "bodies"
ROOM: Final = 64 * 1024 * 1024  # bytes of replies that one worker's copies hold together
EVENTS: Final = 16  # times as much of a stream: its events say a reply in so many more bytes
MARGIN: Final = 4096  # bytes beyond what is kept: a secret that crosses the cut is masked whole

Take = Callable[[bytes], None]


class Copies:
    """All copies of one worker that are under way; they hold `room` bytes at most."""

    __slots__ = ("held", "room")

    def __init__(self, room: int = ROOM) -> None:
        self.room = room
        self.held = 0

    def begin(self, settings: BodySettings, request_id: str, body: bytes) -> "Copy | None":
        """Return the copy of an exchange with this request; None: it is not one of the sample."""
        if bucket(SALT, request_id) >= settings.sample * BUCKETS:
            return None
        return Copy(self, settings, body)


class Copy:
    """The beginning of one exchange's request, and of its reply as it passes."""

    __slots__ = ("_body", "_copies", "_events", "_lost", "_most", "_passed", "_reply", "_settings")

    def __init__(self, copies: Copies, settings: BodySettings, body: bytes) -> None:
        self._copies = copies
        self._settings = settings
        self._body = body
        self._reply = bytearray()
        self._passed = 0
        self._most = 0
        self._events = False
        self._lost = False

    def again(self) -> "Copy":
        """Return the copy of one more exchange with the same request."""
        return Copy(self._copies, self._settings, self._body)

    def beside(self, take: Take, *, readable: bool, events: bool) -> Take:
        """Return what hands a reply's bytes to `take`, then keeps their beginning.

        `events`: it is a stream of events; not `readable`: it is compressed, so that none is kept.
        """
        self._free()
        self._passed = 0
        self._events = events
        most = self._settings.max_bytes * (EVENTS if events else 1)
        self._most = most + MARGIN if readable else 0

        def both(data: bytes) -> None:
            take(data)
            self._keep(data)

        return both

    def close(self) -> Bodies:
        """Return what was kept, for good."""
        request = self._body[: self._settings.max_bytes + MARGIN]
        reply = bytes(self._reply)
        self._free()
        whole = len(self._body), self._passed
        return Bodies(request, reply, *whole, events=self._events, lost=self._lost)

    def _keep(self, data: bytes) -> None:
        self._passed += len(data)
        piece = data[: max(0, self._most - len(self._reply))]
        if self._lost or not piece:
            return
        if self._copies.held + len(piece) > self._copies.room:
            self._lost = True
            self._free()
            return
        self._copies.held += len(piece)
        self._reply += piece

    def _free(self) -> None:
        self._copies.held -= len(self._reply)
        self._reply.clear()
