"""Routes and tables for tests, with as few words as a test needs."""

from collections.abc import Mapping
from types import MappingProxyType

from proxy.routing.table import Route, RoutingTable, Shadow, Sticky, Variant


def route(
    weights: dict[str, float],
    *,
    name: str = "support",
    sticky: Sticky = "user",
    salt: str = "",
    fallback: tuple[str, ...] = (),
    pins: Mapping[str, str] = MappingProxyType({}),
    off: tuple[str, ...] = (),
    shadow: Shadow | None = None,
) -> Route:
    """Return a route whose variants stand in the order of `weights`."""
    return Route(
        name=name,
        variants=tuple(Variant(name=each, upstream="sim") for each in weights),
        weights=tuple(weights.values()),
        sticky=sticky,
        salt=salt,
        fallback=fallback,
        pins=dict(pins),
        off=off,
        shadow=shadow,
    )


def table(*routes: Route) -> RoutingTable:
    """Return version 1 of a table of `routes`."""
    return RoutingTable(version=1, digest="0" * 64, routes={each.name: each for each in routes})
