"""Rows: observations as they are kept, and back.

What of one is a configured name or a word from a list in the code is its kind. What a client or an
upstream said may be anything; here it becomes what every database takes. That is seen to column by
column, for many at once: one by one it would cost several times as much.
"""

from collections.abc import Mapping, Sequence
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
FIELDS: Final = Observation.__struct_fields__
COLUMNS: Final = tuple(OBSERVATIONS.c.keys())
OWN: Final = tuple(name for name in COLUMNS if name not in ("number", "kind"))

_encode = msgspec.json.Encoder().encode

Columns = Mapping[str, Sequence[Any]]


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


def columns_of(batch: Sequence[Observation]) -> Columns:
    """Return the values of a batch by field, those of its usage among them."""
    columns: dict[str, Sequence[Any]] = dict(
        zip(FIELDS, zip(*map(structs.astuple, batch), strict=True), strict=True)
    )
    usages = zip(*map(structs.astuple, columns["usage"]), strict=True)
    return columns | dict(zip(OF_USAGE, usages, strict=True))


def kinds_of(columns: Columns) -> list[tuple[Any, ...]]:
    """Return the kind of each observation, as the values of `Kind`."""
    shadows = [each is not None for each in columns["shadow_of"]]
    return list(zip(shadows, *(columns[name] for name in OF_KIND), strict=True))


def said(kind: tuple[Any, ...]) -> str:
    """Return a kind as it is kept."""
    return _encode(kind).decode()


def read_kind(text: str) -> Kind:
    """Return a kind that was kept."""
    return msgspec.json.decode(text, type=Kind)


def kept_of(columns: Columns) -> dict[str, Sequence[Any]]:
    """Return what is kept beside number and kind, in order, less columns where nothing is said."""
    return {
        name: FROM_OUTSIDE[name](column) if name in FROM_OUTSIDE else column
        for name in OWN
        if (column := columns[name])[0] is not None or column.count(None) < len(column)
    }


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


def _fit(texts: Sequence[str | None]) -> Sequence[str | None]:
    """Return texts as any database takes them: without lone surrogates and NUL."""
    together = "".join(filter(None, texts))
    if together.isascii() and "\0" not in together:
        return texts
    return [text and _fit_one(text) for text in texts]


def _fit_one(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _bounded(counts: Sequence[int | None]) -> Sequence[int | None]:
    """Return numbers of which none is larger than any database takes."""
    if max(map(abs, filter(None, counts)), default=0) <= LARGEST:
        return counts
    return [count and min(max(count, -LARGEST), LARGEST) for count in counts]


TEXTS: Final = (
    *("method", "model_asked", "model_served", "finish_reason"),
    *("prompt_preview", "response_preview"),
)
COUNTS: Final = ("max_tokens", "tool_calls", *OF_USAGE)
FROM_OUTSIDE: Final = dict.fromkeys(TEXTS, _fit) | dict.fromkeys(COUNTS, _bounded)
