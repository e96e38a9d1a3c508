"""Slots: the quarters of an hour that summaries are of. Times are seconds since the epoch."""

from math import ceil, floor
from typing import Final

SLOT: Final = 900.0  # seconds


def slot_of(at: float) -> int:
    """Return the slot of what began at a time."""
    return floor(at / SLOT)


def slots(since: float, until: float) -> range:
    """Return the slots that have something of a window."""
    return range(floor(since / SLOT), ceil(until / SLOT))


def whole(since: float, until: float) -> tuple[float, float]:
    """Return from when until when these slots are."""
    found = slots(since, until)
    return found.start * SLOT, found.stop * SLOT


def after(at: float) -> float:
    """Return when the first slot begins that has nothing of before a time."""
    return ceil(at / SLOT) * SLOT
