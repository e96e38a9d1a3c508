"""A budget: how much a route or a client key may cost in a period, and how that stands."""

from typing import Literal

from msgspec import Struct

from proxy.pricing.periods import day_of, month_of

Per = Literal["day", "month"]
Scope = Literal["route", "key"]


class Budget(Struct, frozen=True, kw_only=True):
    """So many US dollars a day or month, in UTC, for all that the named route or key is used for.

    `stop`: whether what would cost more is refused.
    """

    scope: Scope
    name: str
    usd: float
    per: Per = "month"
    stop: bool = False


class Standing(Struct, frozen=True, kw_only=True):
    """A budget, and what of it is spent; `begins` and `ends` are seconds since the epoch."""

    budget: Budget
    spent: float  # US dollars, as far as costs are known
    begins: float
    ends: float

    @property
    def used(self) -> float:
        """What is spent, as a share of the budget."""
        return self.spent / self.budget.usd

    @property
    def stopped(self) -> bool:
        """Whether requests are refused for it."""
        return self.budget.stop and self.spent >= self.budget.usd


def days(per: Per, at: float) -> tuple[int, int]:
    """Return the first day of the period that `at` is in, and that of the next."""
    day = day_of(at)
    return (day, day + 1) if per == "day" else month_of(day)
