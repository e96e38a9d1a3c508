"""The usage of replies made of choices: how it is written, and how a stream is asked for it.

Asking adds one event to the stream; `stripper` takes it out again for clients that did not ask.
"""

import re
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from proxy.dialects.wire.account import NOT_COUNTED, Count
from proxy.dialects.wire.fields import TRUE, inner
from proxy.dialects.wire.members import Members, encode
from proxy.dialects.wire.sse import parse
from proxy.dialects.wire.stripper import EventStripper
from proxy.exchange.observation import Usage


class Details(Struct, gc=False):
    """What some of the tokens were."""

    cached_tokens: Count | None = None
    reasoning_tokens: Count | None = None


class Counted(Struct, gc=False):
    """The usage of chat, completions and embeddings."""

    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    prompt_tokens_details: Details | None = None
    completion_tokens_details: Details | None = None


class Last(Struct, gc=False):
    """The one event that include_usage adds: no choices, and a usage."""

    choices: list[Raw]
    usage: dict[str, Raw]


_last: Final = msgspec.json.Decoder(Last)

USAGE: Final = b'"usage"'
EMPTY: Final = re.compile(rb"\[\s*\]")  # quick to look for, and nearly as rare
NO_DETAILS: Final = Details()


def read_usage(found: Any) -> Usage | None:
    """Return the usage of a reply; None where it is none that can be read."""
    try:
        return usage_of(msgspec.convert(found, Counted))
    except msgspec.ValidationError:
        return None


def usage_of(counted: Counted) -> Usage | None:
    """Return the usage that was counted; None where nothing was."""
    prompt, response = counted.prompt_tokens_details, counted.completion_tokens_details
    usage = Usage(
        counted.prompt_tokens,
        counted.completion_tokens,
        None if prompt is None else prompt.cached_tokens,
        None if response is None else response.reasoning_tokens,
    )
    return None if usage == NOT_COUNTED else usage


def asks_usage(members: Members) -> bool:
    """Return whether a stream's client asks for its usage, or raise Refusal(400)."""
    return inner(members, "stream_options").get("include_usage") == TRUE


def ask_usage(members: Members) -> Members | None:
    """Return the members with include_usage among the stream options; None: it is there."""
    if asks_usage(members):
        return None
    options = {**inner(members, "stream_options"), "include_usage": TRUE}
    return {**members, "stream_options": Raw(encode(options))}


def stripper() -> EventStripper:
    """Return what takes the event that include_usage adds out of a stream."""
    return EventStripper(USAGE, EMPTY.search, adds_usage)


def adds_usage(event: bytes) -> bool:
    """Return whether an event has a usage and no choices, both by these very names."""
    if USAGE not in event:
        return False
    lines = event.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        return any(not _last.decode(data).choices for _, data in parse(lines))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
