"""What a request's last user message says: the start of it, for the preview.

A prompt of a shape that we don't know has no preview; whether it is right is the upstream's to
say. It knows messages, content parts and plain prompts, and no API's name for them.
"""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from proxy.dialects.wire.fields import too_many

MAX_TAIL: Final = 400  # characters: more than any preview, so that patterns can be masked in it


class Part(Struct):
    """A piece of a message's content; None: it is no text."""

    text: str | None = None


class Message(Struct):
    """A turn of a conversation, or any other item among them."""

    role: Raw = Raw()
    content: Raw = Raw()


USER: Final = Raw(b'"user"')
CANT_READ: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_messages: Final = msgspec.json.Decoder(str | list[Message])
_content: Final = msgspec.json.Decoder(str | list[Part])
_prompt: Final = msgspec.json.Decoder(str | list[str])


def last_user_text(raw: Raw | None) -> str:
    """Return the start of the last user message that has text; `raw` may be plain text too."""
    if raw is None or too_many(raw):
        return ""
    try:
        messages = _messages.decode(raw)
    except CANT_READ:
        return ""
    if isinstance(messages, str):
        return messages[:MAX_TAIL]
    for message in reversed(messages):
        if message.role == USER and (text := content_text(message.content)):
            return text
    return ""


def content_text(raw: Raw) -> str:
    """Return the start of a message's text, its parts joined by spaces."""
    try:
        content = _content.decode(raw)
    except CANT_READ:
        return ""
    if isinstance(content, str):
        return content[:MAX_TAIL]
    return " ".join(part.text[:MAX_TAIL] for part in content if part.text)[:MAX_TAIL]


def prompt_text(raw: Raw | None) -> str:
    """Return the start of a plain prompt, or of the first of several."""
    if raw is None or too_many(raw):
        return ""
    try:
        prompt = _prompt.decode(raw)
    except CANT_READ:
        return ""
    return (prompt if isinstance(prompt, str) else "".join(prompt[:1]))[:MAX_TAIL]


def size(raw: Raw | None) -> int:
    """Return the length of a prompt's JSON: a cheap measure of size, no count of characters."""
    return 0 if raw is None else len(memoryview(raw))
