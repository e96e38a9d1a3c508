"""What exchanges cost, and how much of a budget is spent.

    prices    what a million tokens cost, and what tokens came to
    pricer    whose prices hold for an exchange
    periods   days and months, as budgets are set for them
    budgets   a budget, and how it stands
    accountant  what was spent of all budgets, and whom to tell

It knows neither where prices come from nor where spending is kept; the time is passed in.
"""

from proxy.pricing.accountant import Accountant, Crossing
from proxy.pricing.budgets import Budget, Per, Scope, Standing
from proxy.pricing.periods import day_of
from proxy.pricing.pricer import Pricer
from proxy.pricing.prices import FREE, Above, Prices, cost, owed

__all__ = [
    "FREE",
    "Above",
    "Accountant",
    "Budget",
    "Crossing",
    "Per",
    "Pricer",
    "Prices",
    "Scope",
    "Standing",
    "cost",
    "day_of",
    "owed",
]
