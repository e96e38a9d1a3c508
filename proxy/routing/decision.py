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
    """One route with what its decisions need, computed once.

    The split is laid out as if nothing were off; `serving` has, in the order of the variants, who
    serves the units of each. So what is off moves its own units and nobody else.
    """

    __slots__ = ("by_name", "orders", "pins", "prefix", "route", "serving", "split")

    def __init__(self, route: Route) -> None:
        self.route = route
        self.prefix = prefix(salt(route))
        self.split = Split(route.weights)
        self.by_name = {each.name: each for each in route.variants if each.name not in route.off}
        default = next(iter(self.by_name.values()))
        self.serving = tuple(self.by_name.get(each.name, default) for each in route.variants)
        self.orders = {name: self._order(name) for name in self.by_name}
        pins = route.pins.items()
        self.pins = {unit: self.by_name[to] for unit, to in pins if to in self.by_name}

    def _order(self, first: str) -> tuple[Variant, ...]:
        names = dict.fromkeys((first, *self.route.fallback))
        return tuple(self.by_name[name] for name in names if name in self.by_name)


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
        """Return the variant for `unit`, or the one `forced` by name (Refusal 400: unknown, off).

        A pin goes before the split. Without a unit (None or empty) the assignment is by chance
        and sticks to nothing.
        """
        ready = self._prepared[route.name]
        number = salted(ready.prefix, unit) if unit else None
        sticky = route.sticky if unit else "request"
        if forced is not None:
            variant = ready.by_name.get(forced)
            if variant is None:
                raise not_to_be_had(route, forced)
            return Decision(
                route=route, variant=variant, forced=True, bucket=number, unit_kind=sticky
            )
        if number is None:
            number = self._dice()
        elif ready.pins and unit in ready.pins:
            pinned = ready.pins[unit]
            return Decision(
                route=route, variant=pinned, pinned=True, bucket=number, unit_kind=sticky
            )
        chosen = ready.serving[ready.split.variant(number)]
        return Decision(route=route, variant=chosen, bucket=number, unit_kind=sticky)

    def order(self, decision: Decision) -> tuple[Variant, ...]:
        """Return the variants that may serve, best first: a forced one has no stand-in."""
        if decision.forced:
            return (decision.variant,)
        return self._prepared[decision.route.name].orders[decision.variant.name]


def salt(route: Route) -> str:
    """Return the salt of a route: its own, or its name."""
    return route.salt or route.name


def not_to_be_had(route: Route, name: str) -> Refusal:
    """Return the refusal of a variant that a route does not have, or has switched off."""
    on = ", ".join(each.name for each in route.variants if each.name not in route.off)
    if name in route.off:
        told = f"Variant '{name}' of route '{route.name}' is off; these are on: {on}."
        return Refusal(400, ErrorCode.CALLER_VARIANT_OFF, told)
    told = f"Route '{route.name}' has no variant '{name[:LONGEST_NAME]}'; it has: {on}."
    return Refusal(400, ErrorCode.CALLER_UNKNOWN_VARIANT, told)
