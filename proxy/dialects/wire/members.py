"""A request's body as raw members: read strictly, changed one by one, otherwise byte-exact.

What we route on must be what the upstream reads, so whatever two parsers could read in two ways
is refused: bad JSON anywhere, bad UTF-8 inside strings, duplicate members, endless digits. It
knows the grammar (RFC 8259) and nothing of what the members mean.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec
from msgspec import Raw

from proxy.errors import Refusal
from proxy.exchange.outcome import ErrorCode
from proxy.routing.table import Variant

Members = dict[str, Raw]

MAX_DIGITS = 2000  # in a row; Python's own limit is 4300, so upstreams differ from there on
WINDOW = MAX_DIGITS // 2  # so many digits in a row fill an aligned window, and reach the next

STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
TWO_DIGITS = re.compile(rb"[0-9][0-9]")
DIGITS = re.compile(rb"[0-9]{%d}" % MAX_DIGITS)
POSITION = re.compile(r"\(byte (\d+)\)")


class Name(str):
    """A member's name that equals nothing but itself, so that a dict keeps duplicates."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


_members: Final = msgspec.json.Decoder(dict[str, Raw])
_pairs: Final = msgspec.json.Decoder(dict[Name, Raw], dec_hook=lambda _type, name: Name(name))
_encoder: Final = msgspec.json.Encoder()


def parse(body: bytes) -> Members:
    """Return the top-level members of a JSON object, or raise Refusal(400)."""
    try:
        return read(body)
    except UnicodeDecodeError as error:
        raise bad("is not valid UTF-8") from error
    except msgspec.ValidationError as error:
        raise bad("must be a JSON object") from error
    except msgspec.DecodeError as error:
        raise bad("is not valid JSON" + position(error)) from error
    except RecursionError as error:
        raise bad("is nested too deeply") from error


def read(body: bytes) -> Members:
    """Return the members as `parse` does; raises msgspec's own errors too."""
    members = _members.decode(body)
    if not body.isascii():
        str(body, "utf-8")  # skipping a raw member checks its grammar, but not its UTF-8
    # A compact body is as long as its members written compactly, unless one came twice.
    if len(_encoder.encode(members)) != len(body):
        refuse_duplicates(body)
    if len(body) > MAX_DIGITS and TWO_DIGITS.search(body[::WINDOW]):
        refuse_endless_numbers(body)
    return members


def encode(members: Mapping[str, Raw]) -> bytes:
    """Return the body made of `members`, each one byte-exact."""
    return _encoder.encode(members)


def rewrite(body: bytes | None, members: Members, variant: Variant) -> bytes:
    """Return the body that `variant` wants: `body` itself where that changes nothing.

    `body` is None where `members` are no longer those it was read from.
    """
    changed = {**members}
    for name, value in variant.defaults.items():
        changed.setdefault(name, value)
    if variant.model is not None:
        changed["model"] = raw_text(variant.model)
    changed.update(variant.overrides)
    if body is not None and changed == members:
        return body
    return encode(changed)


@lru_cache(maxsize=1024)  # the models of variants, which are few
def raw_text(text: str) -> Raw:
    """Return a string as a member's value."""
    return Raw(_encoder.encode(text))


def refuse_duplicates(body: bytes) -> None:
    """Raise Refusal(400) where `body`, a JSON object, has a member twice."""
    seen: set[str] = set()
    for name in _pairs.decode(body):
        plain = str.__str__(name)
        if plain in seen:
            raise bad(f"has the member {plain[:40]!r} twice")
        seen.add(plain)


def refuse_endless_numbers(body: bytes) -> None:
    """Raise Refusal(400) where a number of `body`, valid JSON, has too many digits in a row."""
    windows = range(0, len(body) - WINDOW, WINDOW)
    if not any(body[start : start + WINDOW].isdigit() for start in windows):
        return  # which is looked at first because it costs little
    if DIGITS.search(STRING.sub(b'""', body)):
        raise bad(f"has a number of {MAX_DIGITS} digits or more")


def position(error: msgspec.DecodeError) -> str:
    """Return where the grammar broke, where the parser knows it."""
    found = POSITION.search(str(error))
    return f" (at byte {found[1]})" if found else ""


def bad(what: str) -> Refusal:
    """Return the refusal of a body that can't be read, or not in one way only."""
    return Refusal(400, ErrorCode.CALLER_BAD_JSON, f"The request body {what}.")
