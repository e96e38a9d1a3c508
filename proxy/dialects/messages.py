"""Messages: /v1/messages, Anthropic's form. Streams report usage by themselves.

Anthropic counts the prompt in three parts: read from the cache, written to it, and the rest
(`input_tokens`). Our prompt tokens are the sum, our cached tokens what was read, as in the
other dialects.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct, structs

from proxy.dialects.dialect import Dialect, RequestFacts
from proxy.dialects.wire.account import Account, Count, as_text
from proxy.dialects.wire.fields import flag, form, formatted, inner, listed, model, number, text
from proxy.dialects.wire.members import Members
from proxy.dialects.wire.prompt import conversation, unread
from proxy.exchange.observation import Usage


def peek(_: bytes, members: Members) -> RequestFacts:
    """Return the facts of a request's body, or raise Refusal(400) naming the member."""
    prompt = conversation(members.get("messages"))
    metadata = inner(members, "metadata")
    config = inner(members, "output_config")
    return RequestFacts(
        model=model(members),
        stream=flag(members, "stream"),
        user=text(metadata, "user_id", "metadata.user_id"),
        max_tokens=number(members, "max_tokens", least=0),
        has_tools=listed(members, "tools"),
        has_format=(
            formatted(inner(members, "output_format"), "output_format")
            or formatted(inner(config, "format", "output_config.format"), "output_config.format")
        ),
        prompt_chars=prompt.chars + unread(members.get("system")).chars,
        prompt_tail=prompt.tail,
    )


class Block(Struct, gc=False):
    """A block of content: text, thinking, a tool's use."""

    type: str = ""
    text: str | None = None
    name: str | None = None
    input: Raw = Raw()


class Counted(Struct, gc=False):
    """The usage of messages."""

    input_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    output_tokens: Count | None = None


class Message(Struct, gc=False):
    """A whole reply, or what a stream's first event says of it."""

    model: str | None = None
    content: list[Block] | None = None
    stop_reason: str | None = None
    usage: Any = None
    error: Any = None


class Delta(Struct, gc=False):
    """A piece of a block, or the end of a message."""

    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None


class Event(Struct, gc=False):
    """One event of a stream."""

    type: str = ""
    message: Message | None = None
    content_block: Block | None = None
    delta: Delta | None = None
    usage: Any = None
    error: Any = None


_event: Final = msgspec.json.Decoder(Event)
_body: Final = msgspec.json.Decoder(Message)


def read_event(account: Account, data: bytes) -> bool:
    """Read one event of a stream; return whether it carried output."""
    event = _event.decode(data)
    if event.error or event.type == "error":
        account.error = True
    if event.type == "message_stop":
        account.finished = True
    if event.message is not None:
        read_message(account, event.message)
        started = read_usage(event.message.usage, None)
        # Nothing is put out yet, whatever count of it stands here.
        account.counted(started and structs.replace(started, response_tokens=None))
    account.counted(read_usage(event.usage, account.usage))
    output = False
    if event.content_block is not None:
        output = read_block(account, event.content_block, whole=False)
    return output if event.delta is None else read_delta(account, event.delta) or output


def read_delta(account: Account, delta: Delta) -> bool:
    """Read a piece of a block or the end; return whether it carried output."""
    read_stop(account, delta.stop_reason)
    account.said(0, delta.text or "")
    account.tool_words(delta.partial_json or "")
    return bool(delta.text or delta.thinking or delta.partial_json)


def read_body(account: Account, data: bytes) -> bool:
    """Read a whole reply."""
    message = _body.decode(data)
    if message.error:
        account.error = True
    read_message(account, message)
    account.counted(read_usage(message.usage, None))
    return False


def read_message(account: Account, message: Message) -> None:
    """Read a message, as far as it is there."""
    account.named(message.model)
    read_stop(account, message.stop_reason)
    for block in message.content or ():
        read_block(account, block, whole=True)


def read_block(account: Account, block: Block, *, whole: bool) -> bool:
    """Read a block; in a stream a tool's input follows in pieces."""
    used = block.type.endswith("tool_use")
    if used:
        account.tool_calls += 1
        account.tool_words(block.name or "", as_text(block.input) if whole else "")
    else:
        account.said(0, block.text or "")
    return used or bool(block.text)


def read_stop(account: Account, reason: str | None) -> None:
    """Read why the model stopped."""
    account.ended(reason)
    if reason == "refusal":
        account.refused = True


def read_usage(found: Any, before: Usage | None) -> Usage | None:
    """Return the usage, with what only an earlier event said; None where none can be read."""
    try:
        counted = msgspec.convert(found, Counted)
    except msgspec.ValidationError:
        return None
    known = before or Usage()
    parts = (
        counted.input_tokens,
        counted.cache_read_input_tokens,
        counted.cache_creation_input_tokens,
    )
    prompt = known.prompt_tokens
    if counted.input_tokens is not None:
        prompt = sum(part or 0 for part in parts)
    cached = counted.cache_read_input_tokens
    return Usage(
        prompt,
        counted.output_tokens,
        known.cached_tokens if cached is None else cached,
    )


def asked_form(members: Members) -> bytes:
    """Return the JSON by which a request asks for a form of its reply; b"": it does not."""
    return form(members, "output_config", "format") or form(members, "output_format")


MESSAGES: Final = Dialect(
    name="messages",
    path="/v1/messages",
    peek=peek,
    form=asked_form,
    read_body=read_body,
    read_event=read_event,
)
