"""History: which version a rollback goes back to.

The rule. A rollback leaves every version after the one it restores: what was gone back past is
never come back to by itself. So the next one's target is the newest version that nobody left and
that says something else than what is in force. What follows from it:

- Rollbacks in a row walk further back, one differing version at a time, and end at the oldest;
  they never swing to and fro between two.
- A change made after a rollback is undone by the next one, which ends where that change began.
- Neighbours that say the same count as one. A version that was left may be published again, by
  hand or by naming its number; that is a version of its own, which nobody left.

Of one route only its own part counts: versions that say the same of it, or do not have it, are
passed over, and rollbacks of other routes leave nothing. For the whole table a rollback of one
route counts like any other: each version after the restored one holds what was taken back.
"""

from collections.abc import Iterable

import msgspec
from msgspec import Raw, Struct

from proxy.errors import ChangeError, Missing
from proxy.rollout.version import Version


class _Routes(Struct):
    routes: dict[str, Raw] = {}


def rollback_target(versions: Iterable[Version], route: str | None = None) -> Version:
    """Return the version whose contents (of `route`, or all) a rollback is to restore.

    `versions` come newest first, the one in force at their head; no more are taken than needed.
    ChangeError: there is none to go back to; Missing: none of them has the route.
    """
    newest_first = iter(versions)
    current = next(newest_first, None)
    if current is None:
        raise ChangeError("there is no version yet")
    in_force = _said(current, route)
    known = in_force is not None
    kept = _kept(current, route, current.number)
    for version in newest_first:
        said = _said(version, route)
        if said not in (None, in_force) and version.number <= kept:
            return version
        known = known or said is not None
        kept = _kept(version, route, kept)
    if not known:
        raise Missing(f"'{route}' is no route of any version")
    raise ChangeError(_nothing(route))


def _said(version: Version, route: str | None) -> bytes | None:
    """Return the text of what counts; None: the version does not have the route."""
    if route is None:
        return version.contents
    part = msgspec.json.decode(version.contents, type=_Routes).routes.get(route)
    return None if part is None else bytes(part)


def _kept(version: Version, route: str | None, so_far: int) -> int:
    """Return the number up to which older versions are not left, `version` looked at too."""
    counts = route is None or version.route in (None, route)
    return so_far if version.restored is None or not counts else min(so_far, version.restored)


def _nothing(route: str | None) -> str:
    whose = "the routing" if route is None else f"route '{route}'"
    return (
        f"there is no earlier state of {whose} that was not rolled back from; "
        "name the version to go back to"
    )
