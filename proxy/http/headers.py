"""Header hygiene, the same for both directions and for both sides of the proxy.

Knows which headers belong to one connection only, and how fields are written safely. It knows
nothing of framing: whoever writes a head adds the framing of its own body.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from msgspec import Struct

T = TypeVar("T")

Headers = list[tuple[bytes, bytes]]

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        # Not hop by hop by the letter, but framing: it is written anew with each head.
        b"content-length",
    }
)
_USUAL = frozenset({b"close", b"keep-alive", b"upgrade"})  # Connection options that name no field


_LF, _CR, _NUL = b"\n\r\0"
SPELLINGS = 1024  # of names that are remembered, for each use of them
LONGEST_NAME = 64  # bytes; longer ones are not remembered

_PASSES, _STAYS, _NAMES_OTHERS = range(3)


class Spellings(dict[bytes, T]):
    """What follows from a header's name, by how it is spelt: worked out once, and bounded."""

    __slots__ = ("_work_out",)

    def __init__(self, work_out: Callable[[bytes], T]) -> None:
        """`work_out` is given the name in lower case."""
        super().__init__()
        self._work_out = work_out

    def __missing__(self, spelt: bytes) -> T:
        worked_out = self._work_out(spelt.lower())
        if len(spelt) <= LONGEST_NAME:
            if len(self) >= SPELLINGS:
                self.clear()
            self[spelt] = worked_out
        return worked_out


def end_to_end(headers: Headers, *, extra_drop: frozenset[bytes] = frozenset()) -> Headers:
    """Return the headers that may pass on: none hop-by-hop, none that Connection names.

    `extra_drop` are further names in lower case. Framing headers never pass (RFC 9110, 7.6.1).
    """
    verdicts = _verdicts(extra_drop)
    kept: Headers = []
    named: bytes | None = None
    for field in headers:
        verdict = verdicts[field[0]]
        if verdict == _PASSES:
            kept.append(field)
        elif verdict == _NAMES_OTHERS:
            named = field[1] if named is None else named + b"," + field[1]
    if named is None:
        return kept
    options = connection_options(named) - _USUAL
    return [field for field in kept if field[0].lower() not in options] if options else kept


@lru_cache(maxsize=256)
def _verdicts(extra: frozenset[bytes]) -> Spellings[int]:
    drop = HOP_BY_HOP | extra

    def verdict(name: bytes) -> int:
        if name == b"connection":
            return _NAMES_OTHERS
        return _STAYS if name in drop else _PASSES

    return Spellings(verdict)


@lru_cache(maxsize=64)
def connection_options(value: bytes) -> frozenset[bytes]:
    """Return the members of a Connection header in lower case."""
    return frozenset(option.strip(b" \t") for option in value.lower().split(b","))


class Fields(Struct, frozen=True):
    """Header fields as they are written, each with its CRLF; `dated`: a Date is among them."""

    lines: bytes
    dated: bool


def render(headers: Headers) -> Fields:
    """Return `headers` as they are written.

    Raises ValueError where one holds CR, LF or NUL: nobody writes a header through another one.
    """
    text = b"".join([part for field in headers for part in field])
    if not writable(text):
        raise ValueError("a header with CR, LF or NUL")
    dated = any(name.lower() == b"date" for name, _ in headers)
    return Fields(b"".join([b"%b: %b\r\n" % field for field in headers]), dated)


def writable(text: bytes) -> bool:
    """Return whether `text` can stand in a head: it has no CR, LF or NUL."""
    return _LF not in text and _CR not in text and _NUL not in text
