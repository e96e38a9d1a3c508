"""What was spent, and what of the budgets, as it is shown."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime

from proxy.controlplane.admin.models.forms import Answer


class BudgetState(Answer):
    """How a budget stands in the day or month that is now."""

    scope: Literal["route", "key"]
    """What it is for."""
    name: str
    """The route's or the client key's name."""
    usd: float
    """How much may be spent, in US dollars."""
    per: Literal["day", "month"]
    """In what time, by UTC."""
    stop: bool
    """Whether requests are refused once it is spent."""
    spent_usd: float
    """What is spent, as far as costs are known."""
    ends: AwareDatetime
    """When its time is over."""
    stopped: bool
    """Whether requests are refused now."""


class Spending(Answer):
    """What one day, route, variant or key came to; null is what was not asked for."""

    day: date | None
    """The day, in UTC, on which the requests began."""
    route: str | None
    """The route; empty: passed through."""
    variant: str | None
    """The variant that served."""
    key: str | None
    """The client key; empty: none."""
    requests: int
    """Requests that somebody may charge for, shadows among them."""
    unpriced: int
    """Of these, those whose cost is unknown: they are not in `cost_usd`."""
    cost_usd: float
    """What the others cost, in US dollars."""
    shadow_usd: float
    """Of that, what shadows cost."""


class Costs(Answer):
    """What was spent."""

    since: date
    """From which day on, in UTC."""
    by: Literal["route", "variant", "key", "day"]
    """What it is added up by."""
    spending: list[Spending]
    """The most costly first; days in their order."""
    total: Spending
    """All of it."""
