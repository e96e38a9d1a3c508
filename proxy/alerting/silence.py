"""A silence: for a time nobody is told of some alerts. They are logged and counted all the same.

A plain value. Where silences are kept, and who may make one, is not known here.
"""

from collections.abc import Iterable

from msgspec import Struct


class Silence(Struct, frozen=True, kw_only=True):
    """Of which alerts nobody is told: those that have all that is said; None: any."""

    number: int | None = None  # None: not kept yet
    alert: str | None = None  # a rule's name
    route: str | None = None
    variant: str | None = None
    begins_at: float  # seconds since the epoch
    ends_at: float
    who: str
    why: str

    def covers(self, alert: str, route: str | None, variant: str | None, at: float) -> bool:
        """Return whether nobody is to be told of an alert at a moment."""
        said = ((self.alert, alert), (self.route, route), (self.variant, variant))
        return self.begins_at <= at < self.ends_at and all(
            wanted in (None, found) for wanted, found in said
        )


def covering(
    silences: Iterable[Silence], alert: str, route: str | None, variant: str | None, at: float
) -> Silence | None:
    """Return the silence on an alert that lasts longest; None: there is none."""
    found = [each for each in silences if each.covers(alert, route, variant, at)]
    return max(found, key=lambda each: each.ends_at, default=None)
