"""States: how an alert over a window begins, goes on and ends.

    (nothing) -> pending   its rule is broken, by enough requests
    pending   -> firing    ... and stays so for `for_seconds`; else it is forgotten
    firing    -> resolved  its rule is kept for `for_seconds`, or nothing is known for that long,
                           or what it was of is not there any more

What fires goes on while its rule is broken, on however few requests: only what is well, or over,
ends it. So a figure that swings about its threshold is one alert and not many.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from proxy.alerting.windows.rules import Rule, WindowAlert
from proxy.alerting.windows.watches import Reading


class Phase(StrEnum):
    """How far an alert has come."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Now(NamedTuple):
    """The present, in seconds."""

    clock: float  # on a clock that never goes back
    at: float  # since the epoch


class Key(NamedTuple):
    """What tells alerts apart; a variant of None: the route as a whole, or what passes through."""

    name: WindowAlert
    route: str | None
    variant: str | None
    about: str | None = None  # which figure of a pair of variants


class Standing(Struct, frozen=True, kw_only=True):
    """An alert that stands: times are seconds since the epoch, `since` and `well` the clock's."""

    key: Key
    rule: Rule
    phase: Phase
    since: float  # when its rule broke
    well: float | None = None  # since when it is kept again
    unsure: float = 0.0  # until then its window may not be full, so that nothing known is no news
    began_at: float  # when its rule broke
    seen_at: float  # when it was seen to be broken last
    fired_at: float | None = None
    ended_at: float | None = None
    value: float | None  # None: nothing is known any more
    count: int
    request_ids: tuple[str, ...] = ()  # the most telling first

    @property
    def firing(self) -> bool:
        """Whether it fires."""
        return self.phase is Phase.FIRING

    def with_examples(self, request_ids: Sequence[str]) -> "Standing":
        """Return it with these examples, or where there are none with those it had."""
        return replace(self, request_ids=tuple(request_ids) or self.request_ids)


def step(
    before: Standing | None, key: Key, rule: Rule, reading: Reading, now: Now
) -> Standing | None:
    """Return how an alert stands after a reading; None: it does not, or not any more."""
    if before is not None and before.firing:
        return going_on(before, rule, reading, now)
    if not reading.over:
        return None
    if before is None:
        before = begun(key, rule, now)
    seen = replace(before, rule=rule, value=reading.value, count=reading.count, seen_at=now.at)
    if now.clock - seen.since < rule.for_seconds:
        return seen
    return replace(seen, phase=Phase.FIRING, fired_at=now.at)


def begun(key: Key, rule: Rule, now: Now) -> Standing:
    """Return an alert whose rule has just been broken."""
    return Standing(
        key=key,
        rule=rule,
        phase=Phase.PENDING,
        since=now.clock,
        began_at=now.at,
        seen_at=now.at,
        value=None,
        count=0,
    )


def going_on(before: Standing, rule: Rule, reading: Reading, now: Now) -> Standing:
    """Return what becomes of an alert that fires."""
    seen = replace(before, rule=rule, value=reading.value, count=reading.count)
    if reading.still:
        return replace(seen, well=None, seen_at=now.at)
    if reading.value is None and now.clock < seen.unsure:
        return replace(seen, value=before.value, count=before.count)
    well = now.clock if seen.well is None else seen.well
    if now.clock - well < rule.for_seconds:
        return replace(seen, well=well)
    return over(seen, now)


def resumed(before: Standing, now: Now) -> Standing:
    """Return an alert that fired before this clock began, as it goes on by this one."""
    window = before.rule.window_seconds
    return replace(before, since=now.clock, well=None, unsure=now.clock + window)


def over(before: Standing, now: Now) -> Standing:
    """Return an alert as resolved, not before it began: the clock may have been set back."""
    return replace(before, phase=Phase.RESOLVED, ended_at=max(now.at, before.began_at))
