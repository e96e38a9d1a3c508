"""Difference: what one routing says and another does not, place by place.

Two contents without a difference have the same digest. Values are JSON as the file has them; what
they mean is not known here.
"""

import json
from collections.abc import Iterator
from typing import Any

from msgspec import UNSET, Struct

from proxy.rollout.contents import Contents

Path = tuple[str, ...]


class Difference(Struct, frozen=True, kw_only=True):
    """One place that differs; UNSET (left out of JSON): nothing stands there."""

    path: Path  # as in the file: ("routes", "support", "split", "ft-v2")
    before: Any = UNSET
    after: Any = UNSET


def differences(before: Contents, after: Contents) -> list[Difference]:
    """Return every place where the two differ, in the order of the file's names.

    What is new or gone is one difference, whole. Variants in another order are one too, with
    their names: the first is the baseline.
    """
    return list(_mappings((), before, after))


def told(difference: Difference) -> str:
    """Return a difference as a line for people, the values as JSON."""
    path = ".".join(difference.path)
    if difference.before is UNSET:
        return f"+ {path}: {_json(difference.after)}"
    if difference.after is UNSET:
        return f"- {path}: {_json(difference.before)}"
    return f"~ {path}: {_json(difference.before)} -> {_json(difference.after)}"


def _mappings(path: Path, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Difference]:
    if _reordered(path, before, after):
        yield Difference(path=path, before=list(before), after=list(after))
    for name in dict.fromkeys([*before, *after]):
        yield from _values((*path, name), before.get(name, UNSET), after.get(name, UNSET))


def _values(path: Path, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _mappings(path, before, after)
    elif before is UNSET or after is UNSET or _json(before) != _json(after):
        yield Difference(path=path, before=before, after=after)


def _reordered(path: Path, before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Return whether common variants changed places, or another one became the baseline."""
    match path:
        case ("routes", _, "variants"):
            kept = [name for name in before if name in after]
            moved = kept != [name for name in after if name in before]
            return moved or list(before)[:1] != list(after)[:1]
        case _:
            return False


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
