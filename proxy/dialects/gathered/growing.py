"""Growing: how the pieces of a value, as deltas bring them, become the value.

Texts grow by what follows; what names a thing (its id, its role) stays as it was first said; all
else is replaced by what came last. It knows no API.
"""

from collections.abc import Mapping
from typing import Any, Final

Value = dict[str, Any]

NAMES: Final = frozenset(
    ("id", "type", "role", "object", "name", "status", "finish_reason", "model", "call_id")
)
# The same words once more, token by token.
SPELT: Final = frozenset(("logprobs", "prompt_logprobs", "token_ids", "prompt_token_ids"))


class Grown(str):
    """A text that pieces made; there may have been more to come."""

    __slots__ = ()


class Words:
    """A text that grows."""

    def __init__(self, first: str) -> None:
        self.pieces = [first]


class Items(list[Any]):
    """A list whose items grow; those that name their index are found by it."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[object, Value] = {}


def grow(whole: Value, piece: Mapping[str, Any]) -> None:
    """Add a piece of a value to what there is of it."""
    for name, said in piece.items():
        held = whole.get(name)
        if name in SPELT or (said is None and held is not None):
            continue
        match held, said:
            case Words(), str():
                held.pieces.append(said)
            case dict(), dict():
                grow(held, said)
            case Items(), list():
                extend(held, said)
            case str(), str() if held:
                pass
            case _:
                whole[name] = fresh(name, said)


def extend(whole: Items, pieces: list[Any]) -> None:
    """Add pieces to a list: each to the item whose index it names, or else at the end.

    TypeError: what stands for an index can be none.
    """
    for piece in pieces:
        index = piece.get("index") if isinstance(piece, dict) else None
        held = whole.places.get(index)
        if held is not None:
            grow(held, piece)
            continue
        item = fresh("", piece)
        whole.append(item)
        if index is not None:
            whole.places[index] = item


def fresh(name: str, said: Any) -> Any:
    """Return a value that may grow."""
    match said:
        case str() if name not in NAMES:
            return Words(said)
        case dict():
            value: Value = {}
            grow(value, said)
            return value
        case list():
            items = Items()
            extend(items, said)
            return items
        case _:
            return said


def grown(value: Any) -> Any:
    """Return a value that is not to grow any more."""
    match value:
        case Words():
            return Grown("".join(value.pieces))
        case dict():
            return {name: grown(item) for name, item in value.items()}
        case list():
            return [grown(item) for item in value]
        case _:
            return value
