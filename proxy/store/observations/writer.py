"""The writer: observations go to the store on a thread of its own.

Whoever hands them over never waits: they go into a bounded queue, and where the store is slow,
hung, full or away, what finds no room is dropped and counted. What was handed over is written,
dropped, or still in the queue: at any moment these add up. It knows no database.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

import structlog
from msgspec.structs import replace

from proxy.errors import StoreError
from proxy.exchange.observation import Observation

QUEUE = 20_000  # observations that wait, at most
QUEUE_CHARS = 32 * 1024 * 1024  # of their previews and bodies, at most
BATCH = 1000  # written at once, at most: it holds the database for some 25 ms
GATHER_SECONDS = 0.7  # from the first that waits until a batch is written: seldom, for each takes
# a worker's core for some milliseconds where they share one; a kill may cost a second, no more
RETRY_SECONDS = 1.0  # between attempts to write a batch
GIVE_UP_SECONDS = 60.0  # then it is dropped: one that can never be written may not hold up others
HUNG_SECONDS = 5.0  # a write that takes so long tells of a store that does not answer
FORGET_EVERY_SECONDS = 10.0
FORGET_SECONDS = 0.1  # of forgetting in one go: observations wait meanwhile

Batch = Sequence[Observation]


class ObservationWriter:
    """A sink: what it takes, `keep` writes. `forget` takes out a little of what is too old.

    `keep` raises StoreError where nothing could be written; `forget` returns whether there may be
    more to take out. `clock` is monotonic, in seconds.
    """

    def __init__(
        self,
        keep: Callable[[Batch], object],
        forget: Callable[[], bool],
        *,
        clock: Callable[[], float],
        limit: int = QUEUE,
    ) -> None:
        self._keep = keep
        self._forget = forget
        self._clock = clock
        self._limit = limit
        self._queue: deque[Observation] = deque()
        self._chars = 0
        self._changed = threading.Condition()  # held for moments, never while anything is written
        self._over = threading.Event()  # what is not written by now will not be
        self._closing = False
        self._failing = False
        self._began: float | None = None  # the write that is under way
        self._forget_at = 0.0
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self.written = 0
        self.dropped = 0
        self.bodies_written = 0  # of so many observations
        self.bodies_dropped = 0

    def start(self) -> None:
        """Begin to write; once."""
        self._thread.start()

    def take(self, observations: Batch) -> None:
        """Take observations; never waits."""
        with self._changed:
            before = len(self._queue)
            for seen in observations:
                self._admit(seen)
            if not before or before < BATCH <= len(self._queue):
                self._changed.notify_all()  # else the thread knows that there is some, and gathers

    def _admit(self, seen: Observation) -> None:
        """Let an observation wait, without its bodies where only they find no room, or drop it."""
        bodies = seen.bodies
        if bodies is not None and self._chars + weight(seen) > QUEUE_CHARS:
            seen = replace(seen, bodies=None)
            self.bodies_dropped += 1
        chars = weight(seen)
        full = len(self._queue) >= self._limit or self._chars + chars > QUEUE_CHARS
        if full or self._closing:
            self.dropped += 1
            self.bodies_dropped += seen.bodies is not None
        else:
            self._queue.append(seen)
            self._chars += chars

    @property
    def queue(self) -> int:
        """How many wait, those that are just being written among them."""
        return len(self._queue)

    @property
    def up(self) -> bool:
        """Whether the store takes what it is given."""
        began = self._began
        return not self._failing and (began is None or self._clock() - began < HUNG_SECONDS)

    def flush(self, seconds: float) -> bool:
        """Wait until all that was taken is written or dropped; False: `seconds` were too few."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue, seconds)

    def close(self, seconds: float) -> bool:
        """Write what was taken, then end; False: `seconds` passed, and the rest was dropped."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        done = self.flush(seconds)
        with self._changed:
            self._over.set()
            self.dropped += len(self._queue)
            self.bodies_dropped += sum(seen.bodies is not None for seen in self._queue)
            self._queue.clear()
        if done:
            self._thread.join(seconds)
        return done

    def _run(self) -> None:
        while not self._over.is_set() and not (self._closing and not self._queue):
            if batch := self._next():
                self._write(batch)
            if self._clock() >= self._forget_at:
                self._forget_some()

    def _next(self) -> list[Observation]:
        """Return what is to be written now; none: it is time to look after what is old."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing, FORGET_EVERY_SECONDS)
            if self._queue:
                full = lambda: len(self._queue) >= BATCH or self._closing  # noqa: E731  # said once
                self._changed.wait_for(full, GATHER_SECONDS)
            return list(
                islice(self._queue, BATCH)
            )  # they stay in the queue until they are written

    def _write(self, batch: list[Observation]) -> None:
        give_up = self._clock() + GIVE_UP_SECONDS
        while not self._over.is_set():
            self._began = self._clock()
            try:
                self._keep(batch)
            except (StoreError, ValueError, TypeError, OverflowError) as error:
                self._failed(error)
            else:
                self._done(len(batch), written=True)
                return
            finally:
                self._began = None
            if self._clock() >= give_up:
                self._done(len(batch), written=False)
                return
            self._over.wait(RETRY_SECONDS)

    def _failed(self, error: Exception) -> None:
        if not self._failing:
            structlog.get_logger().warning("observations can't be stored", error=str(error))
        self._failing = True

    def _done(self, many: int, *, written: bool) -> None:
        with self._changed:
            if self._over.is_set():
                return  # they were counted as dropped already
            done = [self._queue.popleft() for _ in range(many)]
            self._chars -= sum(map(weight, done))
            bodies = sum(seen.bodies is not None for seen in done)
            self.written += many if written else 0
            self.dropped += 0 if written else many
            self.bodies_written += bodies if written else 0
            self.bodies_dropped += 0 if written else bodies
            self._changed.notify_all()
        if written and self._failing:
            self._failing = False
            structlog.get_logger().info("observations are stored again", dropped=self.dropped)

    def _forget_some(self) -> None:
        """Take out what is too old, for a moment; what is left to do is done after a batch."""
        until, more = self._clock() + FORGET_SECONDS, True
        try:
            while more and self._clock() < until:
                more = self._forget()
        except StoreError:
            more = False  # whoever writes next will tell
        self._forget_at = 0.0 if more else self._clock() + FORGET_EVERY_SECONDS


def weight(seen: Observation) -> int:
    """Return how many characters an observation's previews and bodies have."""
    bodies = 0 if seen.bodies is None else seen.bodies.size
    return len(seen.prompt_preview or "") + len(seen.response_preview or "") + bodies
