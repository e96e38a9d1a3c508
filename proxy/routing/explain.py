"""Explain: why a unit goes where it goes, as a plain value for people and programs.

It asks the same Router that serves, so an explanation can't differ from what happens. It knows
no terminal and no file.
"""

from msgspec import Struct

from proxy.routing.decision import Router
from proxy.routing.split import BUCKETS
from proxy.routing.table import Decision, Route, Sticky

DIGITS = 12  # 10 of 100 is 0.1, whatever the buckets come to


class Share(Struct, frozen=True, kw_only=True):
    """One variant's stretch of [0, 1), rounded: from `start` up to, not including, `end`."""

    variant: str
    start: float
    end: float
    share: float


class Explanation(Struct, frozen=True, kw_only=True):
    """Where a request would go and why; `variant` is None where chance decides."""

    route: str
    sticky: Sticky
    unit: str | None
    position: float | None  # the unit's bucket as a share: 0 <= position < 1
    segments: tuple[Share, ...]
    variant: str | None
    forced: bool
    fallback: tuple[str, ...]  # tried in this order should the variant fail
    why: str


def explain(
    router: Router, route: Route, *, unit: str | None, forced: str | None = None
) -> Explanation:
    """Return the explanation for `unit`; Refusal(400) where `forced` is unknown."""
    decision = router.decide(route, unit=unit, forced=forced)
    segments = shares(router, route)
    by_chance = not unit and forced is None
    number = decision.bucket
    return Explanation(
        route=route.name,
        sticky=route.sticky,
        unit=unit or None,
        position=number / BUCKETS if unit and number is not None else None,
        segments=segments,
        variant=None if by_chance else decision.variant.name,
        forced=decision.forced,
        fallback=() if by_chance else tuple(each.name for each in router.order(decision)[1:]),
        why=_why(route, decision, segments, unit),
    )


def shares(router: Router, route: Route) -> tuple[Share, ...]:
    """Return the segments of `route`, from 0 to 1."""
    return tuple(
        Share(
            variant=route.variants[part.variant].name,
            start=_rounded(part.start),
            end=_rounded(part.end),
            share=_rounded(part.end - part.start),
        )
        for part in router.prepared(route.name).split.segments
    )


def percent(share: float) -> str:
    """Return a share for people: 0.1 is 10%."""
    return f"{100 * share:.4f}".rstrip("0").rstrip(".") + "%"


def _rounded(buckets: int) -> float:
    return round(buckets / BUCKETS, DIGITS)


def _why(route: Route, decision: Decision, segments: tuple[Share, ...], unit: str | None) -> str:
    name = decision.variant.name
    if decision.forced:
        return f"'{name}' was asked for by name, so the split does not count."
    if not unit or decision.bucket is None:
        odds = ", ".join(f"{part.variant} {percent(part.share)}" for part in segments)
        which = "" if route.sticky == "request" else f" without a {route.sticky}"
        return f"'{route.name}' splits requests{which} by chance: {odds}."
    position = decision.bucket / BUCKETS
    part = next(part for part in segments if part.variant == name)
    return (
        f"{route.sticky} '{unit}' stands at {position:.6f}, "
        f"in the stretch of '{name}' from {part.start:.6f} to {part.end:.6f}."
    )
