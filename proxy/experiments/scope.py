"""Scope: which exchanges a comparison is of, and which of those each metric is of.

The split hands out units by chance, and only what chance has handed out tells variants apart. So
what came to a variant in another way is left out. It knows kinds of exchanges, not how many.
"""

from enum import StrEnum
from typing import Protocol

from proxy.exchange.outcome import FAILED, JUDGED, Outcome
from proxy.quality.signals import TOLD_OF, WITHOUT_TEXT, Check, Signal


class LeftOut(StrEnum):
    """How exchanges came to a variant other than by the split."""

    SHADOW = "shadow"
    FORCED = "forced"
    PINNED = "pinned"
    FALLBACK = "fallback"  # one variant was to serve it, another did


class Of(StrEnum):
    """Which exchanges a metric is of."""

    JUDGED = "judged"  # completed or failed
    COMPLETED = "completed"
    REPLIED = "replied"  # in words, with a status of success: what signals are read off
    FORMED = "formed"  # a form was asked for, and the reply held against it


class Sort(Protocol):
    """What exchanges of one kind have in common."""

    @property
    def shadow(self) -> bool:
        """Whether they are shadows."""
        ...

    @property
    def forced(self) -> bool:
        """Whether their clients named the variant."""
        ...

    @property
    def pinned(self) -> bool:
        """Whether their units have a variant of their own."""
        ...

    @property
    def variant_assigned(self) -> str | None:
        """The variant that was to serve them."""
        ...

    @property
    def variant_served(self) -> str | None:
        """The variant that did; None: none."""
        ...

    @property
    def outcome(self) -> Outcome:
        """How they ended."""
        ...

    @property
    def dialect(self) -> str:
        """The API that they speak."""
        ...

    @property
    def signals(self) -> tuple[str, ...]:
        """What may be wrong with their replies."""
        ...

    @property
    def format_check(self) -> str | None:
        """Whether their replies have the form that was asked for."""
        ...


def left_out(sort: Sort) -> LeftOut | None:
    """Return why a comparison leaves exchanges out; None: it does not."""
    if sort.shadow:
        return LeftOut.SHADOW
    if sort.forced:
        return LeftOut.FORCED
    if sort.pinned:
        return LeftOut.PINNED
    if sort.variant_served not in (None, sort.variant_assigned):
        return LeftOut.FALLBACK
    return None


def within(sort: Sort, of: Of) -> bool:
    """Return whether a metric is of such exchanges; of REPLIED, those with a status of success."""
    match of:
        case Of.JUDGED:
            return sort.outcome in JUDGED
        case Of.COMPLETED:
            return sort.outcome is Outcome.COMPLETED
        case Of.REPLIED:
            return sort.outcome in TOLD_OF and sort.dialect not in WITHOUT_TEXT
        case _:
            return sort.format_check in (Check.KEPT, Check.BROKEN)


def failed(sort: Sort) -> bool:
    """Return whether exchanges failed, and not for the caller's doing."""
    return sort.outcome in FAILED


def gives(sort: Sort, signal: Signal) -> bool:
    """Return whether replies give a signal."""
    return signal in sort.signals


def broken(sort: Sort) -> bool:
    """Return whether replies have not the form that was asked for."""
    return sort.format_check == Check.BROKEN
