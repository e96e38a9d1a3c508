"""The Router: a routing table made ready, so that a decision costs a hash and a bisection.

Built when a table is adopted, read for every request. It knows names and numbers only: which
of a request's properties is the unit is the caller's business, and so is randomness, which
comes in as `dice`.
"""

from collections.abc import Callable

from proxy.errors import Refusal
from proxy.exchange.outcome import ErrorCode
from proxy.routing.split import Split, prefix, salted
from proxy.routing.table import Decision, Route, RoutingTable, Variant

Dice = Callable[[], int]
LONGEST_NAME = 100  # of an unknown variant, as the refusal repeats it


class Prepared:
    """One route with what its decisions need, computed once."""

    __slots__ = ("by_name", "orders", "prefix", "route", "split")

    def __init__(self, route: Route) -> None:
        self.route = route
        self.prefix = prefix(salt(route))
        self.split = Split(route.weights)
        self.by_name = {variant.name: variant for variant in route.variants}
        self.orders = {name: self._order(name) for name in self.by_name}

    def _order(self, first: str) -> tuple[Variant, ...]:
        names = dict.fromkeys((first, *self.route.fallback))
        return tuple(self.by_name[name] for name in names)


class Router:
    """Decides for the routes of one table.

    `dice` returns a random number of 53 bits, for requests without a unit.
    """

    __slots__ = ("_dice", "_prepared", "table")

    def __init__(self, table: RoutingTable, dice: Dice) -> None:
        self.table = table
        self._prepared = {name: Prepared(route) for name, route in table.routes.items()}
        self._dice = dice

    def route(self, model: str) -> Route | None:
        """Return the route that `model` names; None: it is no route."""
        return self.table.routes.get(model)

    def prepared(self, name: str) -> Prepared:
        """Return the route `name` with its split; KeyError where there is none."""
        return self._prepared[name]

    def decide(self, route: Route, *, unit: str | None, forced: str | None = None) -> Decision:
        """Return the variant for `unit`, or the one `forced` by name (Refusal 400: unknown).

        Without a unit (None or empty) the assignment is by chance and sticks to nothing.
        """
        ready = self._prepared[route.name]
        number = salted(ready.prefix, unit) if unit else None
        sticky = route.sticky if unit else "request"
        if forced is not None:
            variant = ready.by_name.get(forced)
            if variant is None:
                raise unknown_variant(route, forced)
            return Decision(
                route=route, variant=variant, forced=True, bucket=number, unit_kind=sticky
            )
        if number is None:
            number = self._dice()
        chosen = route.variants[ready.split.variant(number)]
        return Decision(route=route, variant=chosen, bucket=number, unit_kind=sticky)

    def order(self, decision: Decision) -> tuple[Variant, ...]:
        """Return the variants that may serve, best first: a forced one has no stand-in."""
        if decision.forced:
            return (decision.variant,)
        return self._prepared[decision.route.name].orders[decision.variant.name]


def salt(route: Route) -> str:
    """Return the salt of a route: its own, or its name."""
    return route.salt or route.name


def unknown_variant(route: Route, name: str) -> Refusal:
    """Return the refusal of a variant that a route does not have."""
    known = ", ".join(variant.name for variant in route.variants)
    return Refusal(
        400,
        ErrorCode.CALLER_UNKNOWN_VARIANT,
        f"Route '{route.name}' has no variant '{name[:LONGEST_NAME]}'; it has: {known}.",
    )
