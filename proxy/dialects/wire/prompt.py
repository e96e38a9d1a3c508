"""What a request asks: the start of its last user message, for the preview, and its length.

A prompt of a shape that we don't know has no preview; whether it is right is the upstream's to
say. It knows messages, content parts and plain prompts, and no API's name for them.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct

from proxy.dialects.wire.fields import LARGE, NULL, too_many

MAX_TAIL: Final = 400  # characters: more than any preview, so that patterns can be masked in it


class Prompt(Struct, frozen=True, gc=False):
    """What is known of a prompt."""

    tail: str  # the start of the last user message's text
    chars: int  # about: enough to estimate tokens from


class Part(Struct, gc=False):
    """A piece of a message's content; None: it is no text."""

    text: str | None = None


class Turn(Struct, gc=False):
    """A turn of a conversation, as nearly all are written."""

    role: str | None = None
    content: str | list[Part] | None = None


class Item(Struct, gc=False):
    """A turn of a conversation, or anything else among them."""

    role: Raw = Raw()
    content: Raw = Raw()


USER: Final = Raw(b'"user"')
CANT_READ: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

QUOTE: Final = ord('"')

_turns: Final = msgspec.json.Decoder(str | list[Turn])
_items: Final = msgspec.json.Decoder(str | list[Item])
_content: Final[msgspec.json.Decoder[str | list[Part]]] = msgspec.json.Decoder(str | list[Part])
_prompt: Final = msgspec.json.Decoder(str | list[str])


def conversation(raw: Raw | None) -> Prompt:
    """Return the prompt of a list of messages, or of a plain text in their place."""
    if raw is None or too_many(raw):
        return unread(raw)
    if len(memoryview(raw)) <= LARGE:
        try:
            return of_turns(_turns.decode(raw))
        except CANT_READ:
            pass
    try:
        return of_items(_items.decode(raw))
    except CANT_READ:
        return unread(raw)


def of_turns(turns: str | Sequence[Turn]) -> Prompt:
    """Return the prompt of a conversation that was read whole."""
    if isinstance(turns, str):
        return Prompt(turns[:MAX_TAIL], len(turns))
    chars = 0
    tail = ""
    for turn in turns:
        content = turn.content
        if type(content) is str:  # half the price of isinstance
            chars += len(content)
        elif content is not None:
            chars += content_chars(content)
            content = content_text(content)
        if content and turn.role == "user":
            tail = content
    return Prompt(tail[:MAX_TAIL], chars)


def of_items(items: str | Sequence[Item]) -> Prompt:
    """Return the prompt of a conversation that is large or odd: few of its texts are decoded."""
    if isinstance(items, str):
        return Prompt(items[:MAX_TAIL], len(items))
    chars = sum(item_chars(item.content) for item in items)
    for item in reversed(items):
        if item.role == USER and (text := content_text(content_of(item.content))):
            return Prompt(text, chars)
    return Prompt("", chars)


def content_text(content: str | list[Part]) -> str:
    """Return the start of a message's text, its parts joined by spaces."""
    if isinstance(content, str):
        return content[:MAX_TAIL]
    return " ".join(part.text[:MAX_TAIL] for part in content if part.text)[:MAX_TAIL]


def content_chars(content: str | list[Part]) -> int:
    """Return how long the text of a message's parts is; images and other parts are none."""
    return sum(len(part.text or "") for part in content if not isinstance(part, str))


def item_chars(raw: Raw) -> int:
    """Return about how long the text of a message is that need not be decoded for it."""
    view = memoryview(raw)
    if view and view[0] == QUOTE:
        return len(view) - 2  # as JSON
    return content_chars(content_of(raw))


def content_of(raw: Raw) -> str | list[Part]:
    """Return a message's content; none where it has a shape that we don't know."""
    try:
        return _content.decode(raw)
    except CANT_READ:
        return []


def plain(raw: Raw | None) -> Prompt:
    """Return the prompt of a text, or of several: their sum, and the start of the first."""
    if raw is None or too_many(raw):
        return unread(raw)
    try:
        prompt = _prompt.decode(raw)
    except CANT_READ:  # tokens, say
        return unread(raw)
    texts = [prompt] if isinstance(prompt, str) else prompt
    return Prompt("".join(texts[:1])[:MAX_TAIL], sum(map(len, texts)))


def unread(raw: Raw | None) -> Prompt:
    """Return a prompt of which only the length of its JSON is known."""
    return Prompt("", 0 if raw is None or raw == NULL else len(memoryview(raw)))
