"""Explain: why a unit goes where it goes, as a plain value for people and programs.

It asks the same Router that serves, so an explanation can't differ from what happens. It knows
no terminal and no file.
"""

import re
from collections.abc import Collection

from msgspec import Struct

from proxy.errors import Refusal
from proxy.exchange.outcome import ErrorCode
from proxy.routing.decision import LONGEST_NAME, Prepared, Router
from proxy.routing.split import BUCKETS, Segment
from proxy.routing.table import Decision, Route, Shadow, Sticky

DIGEST = re.compile(r"[0-9a-fA-F]{64}")  # SHA-256
DIGITS = 12  # 10 of 100 is 0.1, whatever the buckets come to


class Share(Struct, frozen=True, kw_only=True):
    """A stretch of [0, 1) and who serves it, rounded: from `start` up to, not including, `end`."""

    variant: str
    start: float
    end: float
    share: float
    instead_of: str | None = None  # the variant whose stretch it is: that one is off


class Explanation(Struct, frozen=True, kw_only=True):
    """Where a request would go and why; `variant` is None where chance decides."""

    route: str
    sticky: Sticky
    unit: str | None
    position: float | None  # the unit's bucket as a share: 0 <= position < 1
    segments: tuple[Share, ...]
    variant: str | None
    forced: bool
    pinned: bool
    off: tuple[str, ...]  # variants of the route that serve nobody
    shadow: Shadow | None  # gets a share of the route's requests as well
    fallback: tuple[str, ...]  # tried in this order should the variant fail
    why: str


def explain(
    router: Router, route: Route, *, unit: str | None, forced: str | None = None
) -> Explanation:
    """Return the explanation for `unit`; Refusal(400) where `forced` is unknown or off."""
    decision = router.decide(route, unit=unit, forced=forced)
    by_chance = not unit and forced is None
    number = decision.bucket
    return Explanation(
        route=route.name,
        sticky=route.sticky,
        unit=unit or None,
        position=number / BUCKETS if unit and number is not None else None,
        segments=shares(router, route),
        variant=None if by_chance else decision.variant.name,
        forced=decision.forced,
        pinned=decision.pinned,
        off=route.off,
        shadow=None if route.shadow is None or route.shadow.variant in route.off else route.shadow,
        fallback=() if by_chance else tuple(each.name for each in router.order(decision)[1:]),
        why=_why(router, decision, unit),
    )


def shares(router: Router, route: Route) -> tuple[Share, ...]:
    """Return the segments of `route`, from 0 to 1."""
    ready = router.prepared(route.name)
    return tuple(_share(ready, part) for part in ready.split.segments)


def _share(ready: Prepared, part: Segment) -> Share:
    owner, serving = ready.route.variants[part.variant], ready.serving[part.variant]
    return Share(
        variant=serving.name,
        instead_of=None if serving is owner else owner.name,
        start=_rounded(part.start),
        end=_rounded(part.end),
        share=_rounded(part.end - part.start),
    )


def key_unit(key: str, names: Collection[str]) -> str:
    """Return the unit that a client's `key` is, where keys have `names`; Refusal(400): it is none.

    Where no keys are configured, clients are told apart by a digest of what they send.
    """
    if key in names:
        return key
    if names:
        told = f"There is no key '{key[:LONGEST_NAME]}'; there are: {', '.join(names)}."
        raise Refusal(400, ErrorCode.CALLER_BAD_REQUEST, told)
    if DIGEST.fullmatch(key) is None:
        told = (
            "No keys are configured, so a key is said by the SHA-256 digest of what the client "
            'sends: printf %s "$KEY" | sha256sum'
        )
        raise Refusal(400, ErrorCode.CALLER_BAD_REQUEST, told)
    return key.lower()


def percent(share: float) -> str:
    """Return a share for people: 0.1 is 10%."""
    return f"{100 * share:.4f}".rstrip("0").rstrip(".") + "%"


def _rounded(buckets: int) -> float:
    return round(buckets / BUCKETS, DIGITS)


def _why(router: Router, decision: Decision, unit: str | None) -> str:
    route, name = decision.route, decision.variant.name
    if decision.forced:
        return f"'{name}' was asked for by name, so the split does not count."
    if not unit or decision.bucket is None:
        which = "" if route.sticky == "request" else f" without a {route.sticky}"
        odds = ", ".join(_odds(part) for part in shares(router, route))
        return f"'{route.name}' splits requests{which} by chance: {odds}."
    if decision.pinned:
        return f"{route.sticky} '{unit}' is pinned to '{name}', so the split does not count."
    ready = router.prepared(route.name)
    part = _share(ready, ready.split.segment(decision.bucket))
    whose = f"'{name}'"
    if part.instead_of is not None:
        whose = f"'{part.instead_of}', which is off, so '{name}' serves it,"
    told = (
        f"{route.sticky} '{unit}' stands at {decision.bucket / BUCKETS:.6f}, "
        f"in the stretch of {whose} from {part.start:.6f} to {part.end:.6f}."
    )
    idle = route.pins.get(unit)
    return told if idle is None else f"{told} Its pin to '{idle}' waits until that is on."


def _odds(part: Share) -> str:
    stead = "" if part.instead_of is None else f" instead of {part.instead_of}"
    return f"{part.variant} {percent(part.share)}{stead}"
