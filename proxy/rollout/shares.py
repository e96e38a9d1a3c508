"""Shares: what each variant of a route really gets, in percent, from contents alone.

A variant that is off gets nothing; its weight goes to the route's default: the baseline, or
where that is off, the first variant that is not.
"""

from fractions import Fraction
from typing import Any

UNSPLIT = 100.0  # the baseline's weight where there is no split


def weights(route: dict[str, Any]) -> dict[str, float]:
    """Return the weights that a route of contents says, by variant in the file's order."""
    said = route.get("split") or {next(iter(route["variants"])): UNSPLIT}
    return {name: float(said.get(name, 0.0)) for name in route["variants"]}


def default(route: dict[str, Any]) -> str | None:
    """Return the variant that gets what others may not have; None: all are off."""
    variants = route["variants"].items()
    return next((name for name, variant in variants if not variant.get("off")), None)


def shares(route: dict[str, Any]) -> dict[str, float]:
    """Return each variant's effective share in percent, in the file's order."""
    said, heir = weights(route), default(route)
    off = {name for name in said if heir is not None and route["variants"][name].get("off")}
    exact = {name: Fraction(weight) for name, weight in said.items() if name not in off}
    if heir is not None:
        exact[heir] += sum(Fraction(said[name]) for name in off)
    total = sum(exact.values())
    return {name: float(100 * exact.get(name, Fraction()) / total) for name in said}
