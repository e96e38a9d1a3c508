"""The Alert: one rule that one exchange broke, with the facts a person needs to look at it.

A plain value. It knows nothing of who is told (notifiers) nor how often (folding).
"""

from enum import StrEnum

from msgspec import Struct

from proxy.exchange.observation import Observation


class AlertName(StrEnum):
    """The rules there are."""

    SLOW = "slow"  # the exchange took longer than the threshold, in milliseconds
    SHORT = "short"  # the reply's text has fewer characters than the threshold
    BUDGET = "budget"  # what was spent has come to the threshold, in US dollars


class Alert(Struct, frozen=True, kw_only=True):
    """`value` broke `threshold`, both in the rule's unit, in the exchange `observation`."""

    name: AlertName
    value: float
    threshold: float
    at: float  # seconds since the epoch: when the exchange ended
    observation: Observation
    about: str | None = None  # what else it is told of: which budget
    ends_at: float | None = None  # when it stops to matter; None: soon, as any single exchange

    @property
    def route(self) -> str | None:
        """The configured route's name; None: passed through."""
        return self.observation.route

    @property
    def variant(self) -> str | None:
        """The variant that served, or else the one that was to."""
        return self.observation.variant_served or self.observation.variant_assigned
