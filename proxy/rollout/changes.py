"""Changes: each takes contents and returns new ones, or says why it can't be made.

They know what a change means within the routing. Whether upstreams exist and values are allowed
is checked by the configuration afterwards, and putting it in force is publishing's business.
"""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

from proxy.errors import ChangeError, Missing
from proxy.rollout import shares
from proxy.rollout.contents import Contents
from proxy.routing.table import Shadow

SHADOW = Shadow(variant="", percent=0.0)
LONGEST_NAME = 100  # of an unknown name, as the message repeats it


def split(contents: Contents, route: str, weights: Mapping[str, float]) -> Contents:
    """Return `contents` with `route` split by `weights`, in any unit; who is not named gets 0."""
    variants = _route(contents, route)["variants"]
    for name, weight in weights.items():
        _known(name, variants, f"variant of route '{route}'")
        _check_weight(name, weight)
    given = {name: float(weight) for name, weight in weights.items() if weight > 0}
    if not given:
        raise ChangeError("a split must give one variant a weight above 0")
    return _with(contents, route, split=given)


def add_variant(
    contents: Contents, route: str, name: str, variant: Mapping[str, Any], weight: float = 0.0
) -> Contents:
    """Return `contents` with a new last variant of `route`; the other weights stay.

    In a route without a split, the baseline counts as 100.
    """
    before = _route(contents, route)
    _check_weight(name, weight)
    if name in before["variants"]:
        raise ChangeError(f"route '{route}' has a variant '{_short(name)}' already; choose a name")
    said = {part: value for part, value in variant.items() if value not in (None, {})}
    after = _with(contents, route, variants=before["variants"] | {name: said})
    return after if weight == 0 else split(after, route, shares.weights(before) | {name: weight})


def drain_variant(contents: Contents, route: str, name: str) -> Contents:
    """Return `contents` in which `name` has no weight; the route's default has it instead.

    Pins to it and requests for it by name still reach it.
    """
    before = _route(contents, route)
    _known(name, before["variants"], f"variant of route '{route}'")
    weights = shares.weights(before)
    heir = shares.default(before)
    if not weights[name]:
        return contents
    if heir is None or heir == name:
        raise ChangeError(
            f"'{name}' is the default of route '{route}', which takes what others leave; "
            "give its weight to another variant with a split instead"
        )
    weights[heir] += weights[name]
    return split(contents, route, weights | {name: 0.0})


def remove_variant(contents: Contents, route: str, name: str) -> Contents:
    """Return `contents` without `name`, nor any pin, fallback or shadow that names it.

    It must have no weight, so that nobody is moved unseen. Candidates behind it move up in the
    split's layout, so their units may be dealt out again.
    """
    before = _route(contents, route)
    _known(name, before["variants"], f"variant of route '{route}'")
    if shares.weights(before)[name]:
        raise ChangeError(
            f"variant '{name}' of route '{route}' still has a weight; "
            "drain it first, or give the others all of it with a split"
        )
    shadow = before.get("shadow")
    after = _with(
        contents,
        route,
        variants=_without(before["variants"], name),
        split=_without(before.get("split", {}), name),
        pins={unit: to for unit, to in before.get("pins", {}).items() if to != name},
        fallback=[each for each in before.get("fallback", []) if each != name],
        shadow=None if shadow and shadow["variant"] == name else shadow,
    )
    return _serving(after, route)


def switch(contents: Contents, variant: str, on: bool, route: str | None = None) -> Contents:  # noqa: FBT001  # the word that is said: off, on
    """Return `contents` with `variant` on or off, in `route` or in all routes that have it.

    Of all routes, those in which no other one is on are left as they are when it is switched off:
    somebody in a hurry is helped more by the others than by none.
    """
    routes = contents.get("routes", {})
    if route is not None:
        _known(variant, _route(contents, route)["variants"], f"variant of route '{route}'")
        chosen = [route]
    else:
        _known(variant, dict.fromkeys(v for each in routes.values() for v in each["variants"]))
        having = [name for name in routes if variant in routes[name]["variants"]]
        chosen = [name for name in having if on or not _alone(routes[name], variant)] or having
    for name in chosen:
        variants = routes[name]["variants"]
        said = _without(variants[variant], "off") | ({} if on else {"off": True})
        contents = _with(contents, name, variants=variants | {variant: said})
        contents = _serving(contents, name)
    return contents


def pin(contents: Contents, route: str, unit: str, variant: str | None) -> Contents:
    """Return `contents` in which `unit` always gets `variant` of `route`; None ends its pin."""
    before = _route(contents, route)
    pins = before.get("pins", {})
    if variant is None:
        _known(unit, pins, f"pinned unit of route '{route}'")
        return _with(contents, route, pins=_without(pins, unit))
    _check_on(before, route, variant)
    if before.get("sticky") == "request":
        raise ChangeError(f"route '{route}' is sticky by request, so it has no units to pin")
    if not unit.strip() or not unit.isprintable():
        raise ChangeError("a unit must be printable text on one line, and not empty")
    return _with(contents, route, pins=pins | {unit: variant})


def shadow(
    contents: Contents,
    route: str,
    variant: str | None,
    percent: float = SHADOW.percent,
    *,
    timeout: float = SHADOW.timeout,
    concurrency: int = SHADOW.concurrency,
) -> Contents:
    """Return `contents` in which `variant` also gets `percent` of the requests of `route`.

    `timeout` is in seconds; `concurrency` holds over all workers. None ends the shadow.
    """
    before = _route(contents, route)
    if variant is None:
        if "shadow" not in before:
            raise ChangeError(f"route '{route}' has no shadow")
        return _with(contents, route, shadow=None)
    _check_on(before, route, variant)
    if not 0 < percent <= 100:
        raise ChangeError("a shadow gets a percentage above 0, up to 100")
    said = {"variant": variant, "percent": float(percent)}
    if timeout != SHADOW.timeout:
        said["timeout_seconds"] = float(timeout)
    if concurrency != SHADOW.concurrency:
        said["concurrency"] = concurrency
    return _with(contents, route, shadow=said)


def restore(contents: Contents, earlier: Contents, route: str | None = None) -> Contents:
    """Return `earlier`, or `contents` with `route` as `earlier` had it."""
    if route is None:
        return earlier
    routes = earlier.get("routes", {})
    _known(route, routes, "route of that version")
    return contents | {"routes": contents.get("routes", {}) | {route: routes[route]}}


def _with(contents: Contents, route: str, **parts: Any) -> Contents:
    """Return `contents` with `parts` of `route` replaced; what says nothing is left out."""
    said = contents["routes"][route] | parts
    kept = {part: value for part, value in said.items() if value not in (None, {}, [])}
    return contents | {"routes": contents["routes"] | {route: kept}}


def _without(mapping: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {each: value for each, value in mapping.items() if each != name}


def _route(contents: Contents, name: str) -> dict[str, Any]:
    routes: dict[str, Any] = contents.get("routes", {})
    _known(name, routes, "route")
    found: dict[str, Any] = routes[name]
    return found


def _serving(contents: Contents, route: str) -> Contents:
    if shares.default(contents["routes"][route]) is None:
        raise ChangeError(
            f"route '{route}' would have no variant that is on; switch another one on first"
        )
    return contents


def _alone(route: dict[str, Any], variant: str) -> bool:
    """Return whether `variant` is the only one of `route` that is on."""
    return [name for name, each in route["variants"].items() if not each.get("off")] == [variant]


def _known(name: str, known: Iterable[str], what: str = "variant of any route") -> None:
    names = list(known)
    if name not in names:
        there = ", ".join(names) or "none"
        raise Missing(f"'{_short(name)}' is no {what}; there are: {there}")


def _check_on(route: dict[str, Any], name: str, variant: str) -> None:
    _known(variant, route["variants"], f"variant of route '{name}'")
    if route["variants"][variant].get("off"):
        raise ChangeError(f"variant '{variant}' of route '{name}' is off; switch it on first")


def _check_weight(name: str, weight: float) -> None:
    if not isfinite(weight) or weight < 0:
        raise ChangeError(f"the weight of '{_short(name)}' must be a number, 0 or above")


def _short(name: str) -> str:
    cut = name[:LONGEST_NAME]
    return cut if cut.isprintable() else ascii(cut)[1:-1]
