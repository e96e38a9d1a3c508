"""What a request asks: the start of its last user message, for the preview, and its length.

A prompt of a shape that we don't know has no preview; whether it is right is the upstream's to
say. It knows messages, content parts and plain prompts, and no API's name for them.
"""

from typing import Final, NamedTuple

import msgspec
from msgspec import Raw, Struct

from proxy.dialects.wire.fields import NULL, too_many

MAX_TAIL: Final = 400  # characters: more than any preview, so that patterns can be masked in it


class Prompt(NamedTuple):
    """What is known of a prompt."""

    tail: str  # the start of the last user message's text
    chars: int  # about: enough to estimate tokens from


class Part(Struct, gc=False):
    """A piece of a message's content; None: it is no text."""

    text: str | None = None


class Message(Struct, gc=False):
    """A turn of a conversation, or any other item among them."""

    role: Raw = Raw()
    content: Raw = Raw()


USER: Final = Raw(b'"user"')
CANT_READ: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

QUOTE: Final = ord('"')

_messages: Final = msgspec.json.Decoder(str | list[Message])
_content: Final[msgspec.json.Decoder[str | list[Part]]] = msgspec.json.Decoder(str | list[Part])
_prompt: Final = msgspec.json.Decoder(str | list[str])


def conversation(raw: Raw | None) -> Prompt:
    """Return the prompt of a list of messages, or of a plain text in their place."""
    if raw is None or too_many(raw):
        return unread(raw)
    try:
        messages = _messages.decode(raw)
    except CANT_READ:
        return unread(raw)
    if isinstance(messages, str):
        return Prompt(messages[:MAX_TAIL], len(messages))
    chars = sum(content_chars(message.content) for message in messages)
    for message in reversed(messages):
        if message.role == USER and (text := content_text(message.content)):
            return Prompt(text, chars)
    return Prompt("", chars)


def content_text(raw: Raw) -> str:
    """Return the start of a message's text, its parts joined by spaces."""
    content = content_of(raw)
    if isinstance(content, str):
        return content[:MAX_TAIL]
    return " ".join(part.text[:MAX_TAIL] for part in content if part.text)[:MAX_TAIL]


def content_chars(raw: Raw) -> int:
    """Return about how long a message's text is; images and other parts are none."""
    view = memoryview(raw)
    if view and view[0] == QUOTE:
        return len(view) - 2  # as JSON: cheaper than to decode it
    content = content_of(raw)
    return sum(len(part.text or "") for part in content if not isinstance(part, str))


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
