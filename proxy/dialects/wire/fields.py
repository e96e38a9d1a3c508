"""One member of a request's body: its value, or a Refusal(400) that names it.

null is the same as absent, as in every API we speak. It knows JSON types, and nothing of
which members there are.
"""

from typing import Final

import msgspec
from msgspec import Raw

from proxy.dialects.wire.members import Members
from proxy.errors import Refusal
from proxy.exchange.outcome import ErrorCode

NULL: Final = Raw(b"null")
LARGE = 1024 * 1024  # bytes of JSON: beyond, count the elements before decoding them
MANY = 100_000  # elements: decoded, each takes some 20 times its bytes

_text: Final = msgspec.json.Decoder(str)
_number: Final = msgspec.json.Decoder(int)
_object: Final = msgspec.json.Decoder(dict[str, Raw])


def text(members: Members, name: str, param: str | None = None) -> str | None:
    """Return a string member; None where there is none or it is empty."""
    raw = given(members, name)
    if raw is None:
        return None
    try:
        return _text.decode(raw) or None
    except msgspec.ValidationError as error:
        raise wrong(param or name, "must be a string") from error


def model(members: Members) -> str:
    """Return the model's name, which every request must have."""
    found = text(members, "model")
    if found is None:
        raise wrong("model", "must be given: the name of a model")
    return found


def number(members: Members, name: str, *, least: int) -> int | None:
    """Return an integer member of at least `least`."""
    raw = given(members, name)
    if raw is None:
        return None
    try:
        found = _number.decode(raw)
    except msgspec.ValidationError as error:
        raise wrong(name, "must be an integer") from error
    if found < least:
        raise wrong(name, f"must be at least {least}")
    return found


def flag(members: Members, name: str, param: str | None = None) -> bool:
    """Return a boolean member; False where there is none."""
    raw = given(members, name)
    if raw is None:
        return False
    if raw not in (TRUE, FALSE):
        raise wrong(param or name, "must be true or false")
    return raw == TRUE


def inner(members: Members, name: str, param: str | None = None) -> Members:
    """Return an object member's own members; none where there is none."""
    raw = given(members, name)
    if raw is None:
        return {}
    try:
        return _object.decode(raw)
    except msgspec.ValidationError as error:
        raise wrong(param or name, "must be an object") from error
    except RecursionError as error:  # we stand deeper in the stack than `parse` did
        raise wrong(param or name, "is nested too deeply") from error


def listed(members: Members, name: str) -> bool:
    """Return whether a list member is there and has elements."""
    raw = given(members, name)
    if raw is None:
        return False
    head = bytes(memoryview(raw)[:16])
    if head[:1] != b"[":
        raise wrong(name, "must be a list")
    return not head[1:].lstrip().startswith(b"]")


def formatted(members: Members, param: str) -> bool:
    """Return whether the members of a format ask for more than plain text."""
    kind = text(members, "type", f"{param}.type")
    return kind is not None and kind != "text"


def form(members: Members, *path: str) -> bytes:
    """Return the JSON of the member at `path`, which asks for a form of the reply; b"": none."""
    *outer, name = path
    for each in outer:
        members = inner(members, each)
    raw = given(members, name)
    return b"" if raw is None else bytes(raw)


def given(members: Members, name: str) -> Raw | None:
    """Return a member that is there and not null."""
    raw = members.get(name)
    return None if raw is None or raw == NULL else raw


def too_many(raw: Raw) -> bool:
    """Return whether a member has so many elements that decoding it would flood the memory."""
    return len(memoryview(raw)) > LARGE and bytes(raw).count(b",") > MANY


def wrong(param: str, what: str) -> Refusal:
    """Return the refusal of a member, named."""
    return Refusal(400, ErrorCode.CALLER_BAD_REQUEST, f"'{param}' {what}.", param=param)


TRUE: Final = Raw(b"true")
FALSE: Final = Raw(b"false")
