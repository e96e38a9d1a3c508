"""Splits: what happened to a route's split while a window was open.

Where shares change, the groups that are compared come from different times of day, and units may
have moved from one variant to the other; then a difference need not be the variants'.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from msgspec import Struct

from proxy.rollout.shares import shares


class Turn(Struct, frozen=True, kw_only=True):
    """A version that changed a route within a window."""

    version: int
    at: float  # seconds since the epoch
    before: Mapping[str, float]  # percent of the route's units, by variant
    after: Mapping[str, float]
    remade: tuple[str, ...] = ()  # variants of the same name that are something else since


def turns(
    versions: Sequence[tuple[int, float, Mapping[str, Any] | None]],
) -> tuple[Turn, ...]:
    """Return what changed the shares of a route or what its variants are, the oldest first.

    `versions` are the numbers, times and the route's part of the contents (None: it had none), the
    oldest first; the first is the one that was in force when the window opened.
    """
    found = []
    for (_, _, earlier), (number, at, later) in pairwise(versions):
        before, after = _shares(earlier), _shares(later)
        remade = _remade(earlier, later)
        if before != after or remade:
            turn = Turn(version=number, at=at, before=before, after=after, remade=remade)
            found.append(turn)
    return tuple(found)


def _shares(route: Mapping[str, Any] | None) -> dict[str, float]:
    return (
        {} if route is None else {name: part for name, part in shares(dict(route)).items() if part}
    )


def _remade(earlier: Mapping[str, Any] | None, later: Mapping[str, Any] | None) -> tuple[str, ...]:
    if earlier is None or later is None:
        return ()
    before, after = earlier["variants"], later["variants"]
    return tuple(
        name for name in after if name in before and _is(before[name]) != _is(after[name])
    )


def _is(variant: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a variant is, whether it is on or off."""
    return {name: value for name, value in variant.items() if name != "off"}
