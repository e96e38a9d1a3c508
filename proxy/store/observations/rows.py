"""Rows: an observation as it is kept, and back.

What of it is a configured name or a word from a list in the code is its kind. What a client or an
upstream said may be anything; here it becomes what every database takes.
"""

from operator import attrgetter
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from proxy.exchange.observation import Observation, Usage
from proxy.exchange.outcome import ErrorCode, Outcome
from proxy.store.tables import OBSERVATIONS

LARGEST = 2**63 - 1  # that a column takes
ROW_BYTES = 260  # of a row without its texts, with its part of indexes and spans; measured

OF_KIND: Final = (
    *("outcome", "error_code", "route", "variant_assigned", "variant_served", "upstream"),
    *("endpoint", "dialect", "stream", "forced", "pinned", "unit_kind", "unit_missing"),
    *("key_name", "alerts", "signals", "format_check"),
)
OF_USAGE: Final = Usage.__struct_fields__
COLUMNS: Final = tuple(OBSERVATIONS.c.keys())
OWN: Final = tuple(name for name in COLUMNS if name not in ("number", "kind", *OF_USAGE))
BEFORE_USAGE: Final = COLUMNS.index(OF_USAGE[0]) - 2

FROM_OUTSIDE: Final = tuple(  # what a client or an upstream said
    COLUMNS.index(name)
    for name in (
        *("method", "model_asked", "model_served", "finish_reason", "max_tokens"),
        *("prompt_preview", "response_preview", "tool_calls", *OF_USAGE),
    )
)

_said = attrgetter(*OF_KIND)
_own = attrgetter(*OWN)
_encode = msgspec.json.Encoder().encode


class Kind(Struct, frozen=True, array_like=True):
    """What many observations have in common: whether they are shadows, then OF_KIND in its order.

    A field that is new comes last, with what it was before as its default: older ones are read on.
    """

    shadow: bool
    outcome: Outcome
    error_code: ErrorCode | None = None
    route: str | None = None
    variant_assigned: str | None = None
    variant_served: str | None = None
    upstream: str | None = None
    endpoint: str = ""
    dialect: str = "none"
    stream: bool = False
    forced: bool = False
    pinned: bool = False
    unit_kind: str | None = None
    unit_missing: bool = False
    key_name: str | None = None
    alerts: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    format_check: str | None = None


class Kept(Struct, frozen=True, kw_only=True):
    """An observation as it was kept, and its number: the later it came, the higher."""

    number: int
    observation: Observation


def kind_of(seen: Observation) -> tuple[Any, ...]:
    """Return the kind of an observation, as the values of `Kind`."""
    return seen.shadow_of is not None, *_said(seen)


def said(kind: tuple[Any, ...]) -> str:
    """Return a kind as it is kept."""
    return _encode(kind).decode()


def read_kind(text: str) -> Kind:
    """Return a kind that was kept."""
    return msgspec.json.decode(text, type=Kind)


def row_of(number: int, kind: int, seen: Observation) -> tuple[Any, ...]:
    """Return the values of OBSERVATIONS' columns."""
    own = _own(seen)
    row = [number, kind, *own[:BEFORE_USAGE], *structs.astuple(seen.usage), *own[BEFORE_USAGE:]]
    for place in FROM_OUTSIDE:
        row[place] = _fit(row[place])
    return tuple(row)


def size_of(seen: Observation) -> int:
    """Return about how many bytes an observation takes in the store."""
    bodies = 0 if seen.bodies is None else seen.bodies.size
    return ROW_BYTES + len(seen.prompt_preview or "") + len(seen.response_preview or "") + bodies


def read_row(row: Any, kinds: dict[int, Kind]) -> Kept:
    """Return what a row says, whose kind is among `kinds`."""
    values = dict(zip(COLUMNS, row, strict=True))
    common = structs.asdict(kinds[values.pop("kind")])
    del common["shadow"]
    number = values.pop("number")
    usage = Usage(**{name: values.pop(name) for name in OF_USAGE})
    return Kept(number=number, observation=Observation(**values, **common, usage=usage))


def _fit(value: Any) -> Any:
    """Return a value as any database takes it: no lone surrogate, no NUL, no huge number."""
    kind = type(value)
    if kind is str:
        if value.isascii() and "\0" not in value:
            return value
        return value.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    if kind is int and not -LARGEST <= value <= LARGEST:
        return LARGEST if value > 0 else -LARGEST
    return value
