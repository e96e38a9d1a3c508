"""What tokens cost, and how much may be spent."""

from proxy.config import fields
from proxy.config.schema.part import Part
from proxy.pricing.budgets import Budget, Per

BUDGET = Budget(scope="route", name="", usd=1.0)


class Prices(Part):
    """What a variant's tokens cost, in US dollars per million."""

    input: fields.Price
    """Of the request."""
    cached_input: fields.Price | None = None
    """Of the request, where the upstream had them cached; without it, as `input`."""
    output: fields.Price | None = None
    """Of the reply, reasoning included; without it, what a reply costs is unknown."""


class Spend(Part):
    """How much may be spent, and what happens then."""

    usd: fields.Dollars
    """US dollars. At 80 % and at 100 % of them an alert is raised."""
    per: Per = BUDGET.per
    """In what time: a `day` or a `month` of UTC."""
    stop: bool = BUDGET.stop
    """Whether requests are refused once all is spent, until the day or month is over."""
