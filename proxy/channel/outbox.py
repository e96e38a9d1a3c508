"""The outbox: a worker's observations on their way to control.

Bounded, never blocking. What was sent stays in it until control said that it took it, so a
batch can be sent again. When it is full the newest observation is dropped, and counted. It
knows no socket; `courier` empties it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import islice

from msgspec.structs import replace

from proxy.exchange import Bodies, Observation

CAPACITY = 10_000  # observations: a few seconds of a worker's hardest work
BATCH = 500  # observations; about a third of a millisecond to encode
TEXT_CAPACITY = 32 * 1024 * 1024  # bytes of words that wait for control
BATCH_TEXT = 2 * 1024 * 1024  # bytes of words after which a batch takes no more
LOST = Bodies(lost=True)


class Outbox:
    """A bounded queue with a memory of what is not yet taken; `drop` counts what did not fit."""

    def __init__(self, drop: Callable[[], None], *, capacity: int = CAPACITY) -> None:
        self._drop = drop
        self._capacity = capacity
        self._waiting: deque[Observation] = deque()
        self._weights: deque[int] = deque()  # of each that waits
        self._text_bytes = 0
        self._offset = 0
        self.filled = asyncio.Event()  # something waits
        self.emptied = asyncio.Event()  # nothing does
        self.emptied.set()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def offset(self) -> int:
        """How many observations control has taken so far."""
        return self._offset

    def offer(self, observation: Observation) -> None:
        """Keep `observation` for control, or drop and count it; returns at once."""
        waiting = self._waiting
        if len(waiting) >= self._capacity:
            self._drop()
            return
        words = weight(observation)
        if self._text_bytes + words > TEXT_CAPACITY:
            observation = self._without_words(observation)
            words = weight(observation)
        if not waiting:
            self.filled.set()
            self.emptied.clear()
        self._text_bytes += words
        self._weights.append(words)
        waiting.append(observation)

    def batch(self) -> tuple[Observation, ...]:
        """Return the oldest observations, those not yet taken first; the same until `taken`."""
        many, text = 0, 0
        for words in islice(self._weights, BATCH):
            many += 1
            text += words
            if text >= BATCH_TEXT:
                break
        return tuple(islice(self._waiting, many))

    def taken(self, offset: int) -> None:
        """Forget all observations before `offset`: control has them."""
        for _ in range(min(offset - self._offset, len(self._waiting))):
            self._waiting.popleft()
            self._text_bytes -= self._weights.popleft()
            self._offset += 1
        if not self._waiting:
            self.filled.clear()
            self.emptied.set()

    def _without_words(self, observation: Observation) -> Observation:
        """Return the observation without its bodies; without its texts too, if need be.

        Bodies go first, for nothing else depends on them.
        """
        if observation.bodies is not None:
            observation = replace(observation, bodies=LOST)
        fits = self._text_bytes + weight(observation) <= TEXT_CAPACITY
        return observation if fits else replace(observation, texts=None)


def weight(observation: Observation) -> int:
    """Return about how many bytes of words an observation carries."""
    texts, bodies = observation.texts, observation.bodies
    words = 0 if texts is None else len(texts.prompt) + len(texts.reply) + len(texts.form)
    return words if bodies is None else words + bodies.size
