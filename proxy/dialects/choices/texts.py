"""Replies of chat that are one text and nothing else, as nearly all are: read quickly.

Their types take a reply, or an event, only where `replies` would find no more in it than the
text, its model and its usage; whatever else there is makes them raise.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from proxy.dialects.choices.usage import Counted, usage_of
from proxy.dialects.wire.account import CANT_READ, MAX_MODEL, Account
from proxy.exchange.reading import Reading


class Text(Struct, gc=False):
    """A message that is text; only what would be more than that is named."""

    content: str
    refusal: None = None
    tool_calls: None = None
    function_call: None = None


class TextPiece(Struct, gc=False):
    """A piece of such a message."""

    content: Annotated[str, Meta(min_length=1)]
    refusal: None = None
    tool_calls: None = None
    function_call: None = None


class TextChoice(Struct, gc=False):
    """The one reply asked for, which is text."""

    message: Text
    index: Literal[0] | None = None
    delta: None = None
    finish_reason: Literal["stop", "length"] | None = None
    error: None = None


class TextGrowth(Struct, gc=False):
    """The one reply asked for, growing by a piece of text."""

    delta: TextPiece
    index: Literal[0] | None = None
    finish_reason: None = None
    error: None = None


class TextReply(Struct, gc=False):
    """A whole reply as nearly all are: any other is none of these."""

    choices: tuple[TextChoice]
    model: str | None = None
    usage: Counted | None = None
    error: None = None


class TextEvent(Struct, gc=False):
    """An event as nearly all of a stream are: any other is none of these."""

    choices: tuple[TextGrowth]
    model: str | None = None
    usage: None = None
    error: None = None


_text_reply: Final = msgspec.json.Decoder(TextReply)
_text_event: Final = msgspec.json.Decoder(TextEvent)


def read_text(data: bytes, keep_text: int, preview_chars: int) -> Reading:
    """Read a whole reply of nothing but text, as `read` would; raises for any other."""
    reply = _text_reply.decode(data)
    choice = reply.choices[0]
    text = choice.message.content
    return Reading(
        usage=None if reply.usage is None else usage_of(reply.usage),
        model=reply.model[:MAX_MODEL] if reply.model else None,
        text=text[:keep_text],
        reply_chars=len(text),
        preview=text[: min(preview_chars, keep_text)],
        finish_reason=choice.finish_reason,
    )


def read_texts(account: Account, events: Sequence[bytes]) -> int:
    """Read events of nothing but text, as `read` would one by one, up to the first other one.

    Returns how many those are.
    """
    decode = _text_event.decode
    read: list[TextEvent] = []
    try:
        for event in events:
            read.append(decode(event))  # noqa: PERF401  # those before one that can't be stand
    except CANT_READ:
        if not read:
            return 0
    if account.model is None:
        account.named(next((event.model for event in read if event.model), None))
    account.said(0, "".join([event.choices[0].delta.content for event in read]))
    return len(read)
