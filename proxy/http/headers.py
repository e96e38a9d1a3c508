"""Header hygiene, the same for both directions and for both sides of the proxy.

Knows which headers belong to one connection only, how fields are written safely, and what was
made of a head that comes again. It knows nothing of framing: whoever writes a head adds the
framing of its own body.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Generic, TypeVar

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
KEPT_HEADS = 256  # heads that are remembered
KEPT_BYTES = 4096  # of each; larger ones are read each time
LENGTH_DIGITS = 18  # of a Content-Length: fewer than any parser's numbers overflow with
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


class HeadMemory(Generic[T]):
    """What was made of heads, by their bytes without the digits of their Content-Length.

    A head with the same bytes before and behind other digits differs from one that passed every
    gate in the length of its body, and in nothing else. What is kept is bounded in number and in
    size: peers may send what they like.
    """

    __slots__ = ("_known", "_last")

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes], T] = {}
        self._last: tuple[bytes, bytes, T | None] = (b"", b"\0", None)  # mostly it comes again

    def find(self, raw: bytes) -> tuple[T | None, int | None]:
        """Return what is kept for a whole head, if any, and the length taken out of it, if any."""
        before, behind, value = self._last
        if raw.startswith(before) and raw.endswith(behind):
            digits = raw[len(before) : -len(behind)]
            if digits.isdigit() and len(digits) <= LENGTH_DIGITS:
                return value, int(digits)
        before, digits, behind = split_length(raw)
        value = self._known.get((before, behind))
        if not digits:
            return value, None
        if value is not None:
            self._last = before, behind, value
        return value, int(digits)

    def keep(self, raw: bytes, value: T) -> bool:
        """Keep what was made of a head; False: it is too large."""
        if len(raw) > KEPT_BYTES:
            return False
        if len(self._known) >= KEPT_HEADS:
            self._known.clear()
        before, _, behind = split_length(raw)
        self._known[before, behind] = value
        return True


def split_length(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Return what stands before, in and behind the digits of Content-Length, as most write it.

    Where it is absent or written in any other way, all of `raw` stands before.
    """
    start, name, rest = raw.partition(b"ength: ")
    if start[-11:].lower() == b"\r\ncontent-l":
        digits, _, behind = rest.partition(b"\r\n")
        if digits.isdigit() and len(digits) <= LENGTH_DIGITS:
            return start + name, digits, b"\r\n" + behind
    return raw, b"", b""


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
