"""What a simulated model is like: how fast, how wordy, and how often it misbehaves.

Pure: it drafts replies and knows nothing of sockets or clocks; dice are handed in.
"""

import sys
from random import Random
from typing import NamedTuple

from msgspec import Struct

SLOW_SECONDS = 5.3  # over turnout's default threshold of the alert `slow`: 5 s
SHORT_WORDS: tuple[str, ...] = ("Yes.",)  # under that of `short`: 10 characters

REFUSING_WORDS = ("I'm", "sorry,", "but", "I", "can't", "help", "with", "that.")

SENTENCES = (
    "Your parcel left the depot this morning and should reach you tomorrow before noon.",
    "You can change the delivery address until the parcel is out for delivery.",
    "The refund was sent to your card; banks take two to five working days to show it.",
    "That size is back in stock on Thursday, and I have put one aside for you.",
    "Please unplug the device for ten seconds, then hold the green button until it blinks.",
    "Your subscription ends with the month, and nothing more will be charged.",
)


class Every(NamedTuple):
    """A thing that happens at the `first` request, and at each `then`-th one after it."""

    first: int
    then: int

    def due(self, count: int) -> bool:
        """Return whether it happens at request number `count`, the first being 1."""
        return count >= self.first and (count - self.first) % self.then == 0


NEVER = Every(sys.maxsize, 1)


class Character(Struct, frozen=True, kw_only=True):
    """One model's ways; times are seconds."""

    name: str
    first_token: float
    per_token: float
    sentences: int
    slow: Every
    short: Every
    failing: Every
    refusing: Every = NEVER


class Draft(Struct, frozen=True, kw_only=True):
    """One reply before it is spoken; `fails`: the model answers 500 instead."""

    words: tuple[str, ...]
    before_first: float
    between: float
    fails: bool = False


BASE = Character(
    name="base-70b",
    first_token=0.25,
    per_token=0.02,
    sentences=2,
    slow=Every(35, 70),
    short=Every(20, 50),
    failing=Every(12, 45),
)
FINE_TUNE = Character(
    name="support-ft-8b",
    first_token=0.06,
    per_token=0.008,
    sentences=1,
    slow=Every(3, 30),
    short=Every(5, 12),
    failing=Every(25, 60),
)


def draft(character: Character, count: int, dice: Random) -> Draft:
    """Return the reply of `character` to its request number `count`."""
    if character.short.due(count):
        words = SHORT_WORDS
    elif character.refusing.due(count):
        words = REFUSING_WORDS
    else:
        words = tuple(" ".join(dice.sample(SENTENCES, character.sentences)).split())
    before_first = character.first_token * dice.uniform(0.7, 1.6)
    if character.slow.due(count):
        before_first = SLOW_SECONDS
    return Draft(
        words=words,
        before_first=before_first,
        between=character.per_token * dice.uniform(0.8, 1.3),
        fails=character.failing.due(count),
    )
