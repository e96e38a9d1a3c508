"""The accountant: what was spent by route and by key, and which budgets that reaches.

Spending is shared by all who keep it in one place, so there are three sums: what is kept there,
what of it came from here, and what was seen here. What is spent is what is kept, and what was
seen here and is not kept yet: no exchange counts twice, and none is left out, kept or not.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from proxy.exchange.observation import Observation
from proxy.pricing.budgets import Budget, Scope, Standing, days
from proxy.pricing.periods import SECONDS, day_of

LEVELS = (1.0, 0.8)  # shares of a budget at which somebody is told, the highest first

Purse = tuple[Scope, str, int]  # whose, and on which day
Sums = dict[Purse, float]  # US dollars


class Crossing(Struct, frozen=True, kw_only=True):
    """A budget of which `level`, a share, is spent."""

    standing: Standing
    level: float


class Total(Struct, kw_only=True):
    """What is spent in the days from `first` on and before `after`."""

    first: int
    after: int
    usd: float


class Accountant:
    """Adds up costs and tells each level of a budget once a period."""

    def __init__(self, budgets: Iterable[Budget] = ()) -> None:
        self._seen: Sums = {}
        self._ours: Mapping[Purse, float] = {}  # of what is kept
        self._kept: Mapping[Purse, float] = {}
        self._told: set[tuple[Budget, float, float]] = set()  # the level, and the period's end
        self._budgets: dict[tuple[Scope, str], Budget] = {}
        self._totals: dict[Budget, Total] = {}  # kept up, so that nothing is added up each time
        self.adopt(budgets)

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """The budgets that are watched."""
        return tuple(self._budgets.values())

    def adopt(self, budgets: Iterable[Budget]) -> None:
        """Watch these from now on; what was spent stays spent."""
        self._budgets = {(each.scope, each.name): each for each in budgets}
        self._totals.clear()

    def add(self, seen: Observation) -> None:
        """Add what an exchange cost, as far as that is known."""
        for purse, usd in spent_by(seen).items():
            self._seen[purse] = self._seen.get(purse, 0.0) + usd
            scope, name, day = purse
            budget = self._budgets.get((scope, name))
            total = None if budget is None else self._totals.get(budget)
            if total is not None and total.first <= day < total.after:
                total.usd += usd

    def count(self, kept: Mapping[Purse, float], ours: Mapping[Purse, float]) -> None:
        """Note what is kept by all, and what of it came from here, at one moment."""
        self._kept = kept
        self._ours = ours
        self._totals.clear()

    def told_before(self, at: float) -> None:
        """Take it that whoever counted before has told the levels reached without us by now."""
        for standing in self.standings(at):
            budget = standing.budget
            purses = [(budget.scope, budget.name, day) for day in range(*days(budget.per, at))]
            before = sum(self._kept.get(each, 0.0) - self._ours.get(each, 0.0) for each in purses)
            reached = [level for level in LEVELS if before / budget.usd >= level]
            self._told |= {(budget, level, standing.ends) for level in reached}

    def crossed(self, seen: Observation, at: float) -> list[Crossing]:
        """Return the budgets of an exchange that have reached a level which nobody was told of."""
        route = self._budgets.get(("route", seen.route or ""))
        key = self._budgets.get(("key", seen.key_name or ""))
        found = (self._level(self.standing(each, at)) for each in (route, key) if each is not None)
        return [each for each in found if each is not None]

    def standings(self, at: float) -> list[Standing]:
        """Return how each budget stands."""
        return [self.standing(budget, at) for budget in self.budgets]

    def standing(self, budget: Budget, at: float) -> Standing:
        """Return how one of them stands."""
        total = self._totals.get(budget)
        if total is None or not total.first <= day_of(at) < total.after:
            first, after = days(budget.per, at)
            purses = ((budget.scope, budget.name, day) for day in range(first, after))
            usd = sum(map(self._spent, purses), 0.0)
            total = self._totals[budget] = Total(first=first, after=after, usd=usd)
        return Standing(
            budget=budget,
            spent=total.usd,
            begins=float(total.first * SECONDS),
            ends=float(total.after * SECONDS),
        )

    def forget(self, before: int) -> None:
        """Forget what was spent before a day, and who was told of periods that were over then."""
        self._seen = {purse: usd for purse, usd in self._seen.items() if purse[2] >= before}
        self._told = {each for each in self._told if day_of(each[2]) >= before}
        self._totals.clear()

    def _spent(self, purse: Purse) -> float:
        here = self._seen.get(purse, 0.0) - self._ours.get(purse, 0.0)
        return self._kept.get(purse, 0.0) + max(0.0, here)

    def _level(self, now: Standing) -> Crossing | None:
        for level in LEVELS:
            if now.used >= level:
                fresh = (now.budget, level, now.ends) not in self._told
                self._told |= {(now.budget, each, now.ends) for each in LEVELS if each <= level}
                return Crossing(standing=now, level=level) if fresh else None
        return None


def spent_by(seen: Observation) -> Sums:
    """Return what an exchange cost its route and its key; nothing where that is unknown."""
    if not seen.cost_usd:
        return {}
    day = day_of(seen.started_at)
    found: Sums = {}
    if seen.route is not None:
        found["route", seen.route, day] = seen.cost_usd
    if seen.key_name is not None:
        found["key", seen.key_name, day] = seen.cost_usd
    return found
