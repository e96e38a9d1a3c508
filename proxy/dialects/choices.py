"""What chat and completions share: replies made of choices, and usage that streams must ask for.

It knows the reply side of both APIs as OpenAI, vLLM, llama.cpp and the gateways speak it.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from proxy.dialects.wire.account import Account, Count, as_text
from proxy.dialects.wire.fields import TRUE, inner
from proxy.dialects.wire.members import Members, encode
from proxy.dialects.wire.sse import parse
from proxy.dialects.wire.stripper import EventStripper
from proxy.exchange.observation import Usage


class Function(Struct, gc=False):
    """A tool's name and arguments, or a piece of them."""

    name: str | None = None
    arguments: Raw = Raw()
    input: Raw = Raw()  # a custom tool's


class ToolCall(Struct, gc=False):
    """One tool call, or a piece of it."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None
    custom: Function | None = None


class Part(Struct, gc=False):
    """A piece of a content that is a list; None: it is no text."""

    text: str | None = None


class Said(Struct, gc=False):
    """A message, or a piece of one."""

    content: str | list[Part] | None = None
    refusal: str | None = None
    reasoning_content: Any = None  # vLLM, DeepSeek, llama.cpp
    reasoning: Any = None  # newer vLLM, OpenRouter
    audio: Any = None
    tool_calls: list[ToolCall] | None = None
    function_call: Function | None = None  # what tools were before they were tools


class Choice(Struct, gc=False):
    """One of the replies asked for, or a piece of it."""

    index: int | None = None
    delta: Said | None = None
    message: Said | None = None
    text: str | None = None
    finish_reason: str | None = None
    error: Any = None


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


class Uncounted(Struct, gc=False):
    """A whole reply, or one event of a stream, whose usage is not read."""

    model: str | None = None
    choices: list[Choice] | None = None
    error: Any = None
    object: str | None = None


class Reply(Uncounted, gc=False):
    """A whole reply, or one event of a stream."""

    usage: Counted | None = None


class Text(Struct, gc=False):
    """A piece of a message that is text; only what would be more than that is named."""

    content: Annotated[str, Meta(min_length=1)]
    refusal: None = None
    tool_calls: None = None
    function_call: None = None


class TextChoice(Struct, gc=False):
    """The one reply asked for, growing by a piece of text."""

    delta: Text
    index: Literal[0] | None = None
    finish_reason: None = None
    error: None = None


class TextEvent(Struct, gc=False):
    """An event as nearly all of a stream are: any other is none of these."""

    choices: tuple[TextChoice]
    model: str | None = None
    usage: None = None
    error: None = None


class Last(Struct, gc=False):
    """The one event that include_usage adds: no choices, and a usage."""

    choices: list[Raw]
    usage: dict[str, Raw]


_reply: Final = msgspec.json.Decoder(Reply)
_uncounted: Final = msgspec.json.Decoder(Uncounted)
_text_event: Final = msgspec.json.Decoder(TextEvent)
_last: Final = msgspec.json.Decoder(Last)

EMPTY: Final = re.compile(rb"\[\s*\]")  # quick to look for, and nearly as rare
NO_CHOICES: Final = re.compile(rb'"choices"\s*:\s*\[\s*\]')
NO_DETAILS: Final = Details()
LEGACY: Final = -1  # the place of a function_call among tool calls


def read(account: Account, data: bytes) -> bool:
    """Read a whole reply or one event; return whether it carried output."""
    reply: Uncounted
    try:
        reply = _reply.decode(data)
        if reply.usage is not None:
            account.counted(usage_of(reply.usage))
    except msgspec.ValidationError:  # a usage that makes no sense costs nothing else
        reply = _uncounted.decode(data)
    if reply.error or (reply.object == "error" and not reply.choices):  # the latter: older vLLM
        account.error = True
    if account.model is None:
        account.named(reply.model)
    output = False
    for place, choice in enumerate(reply.choices or ()):
        if choice.finish_reason or choice.error:
            read_end(account, choice)
        index = place if choice.index is None else choice.index
        said = choice.delta or choice.message
        if said is not None:
            output |= read_said(account, said, index)
        else:
            account.said(index, choice.text or "")
            output |= bool(choice.text)
    return output


def read_texts(account: Account, events: Sequence[bytes]) -> None:
    """Read events of nothing but text, as `read` would one by one; raises for any other."""
    read = [*map(_text_event.decode, events)]
    if account.model is None:
        account.named(next((event.model for event in read if event.model), None))
    account.said(0, "".join([event.choices[0].delta.content for event in read]))


def read_end(account: Account, choice: Choice) -> None:
    """Read why a choice ended."""
    account.ended(choice.finish_reason)
    if choice.finish_reason == "content_filter":
        account.refused = True
    if choice.error or choice.finish_reason == "error":
        account.error = True


def read_said(account: Account, said: Said, index: int) -> bool:
    """Read a message or a delta; return whether it carried output."""
    content = said.content
    if isinstance(content, list):
        content = "".join([part.text or "" for part in content])
    account.said(index, content or "")
    output = bool(said.content or said.reasoning_content or said.reasoning or said.audio)
    if said.refusal:
        account.refused = output = True
        account.said(index, said.refusal)
    if said.tool_calls or said.function_call:
        output = True
        read_calls(account, said, index)
    return output


def read_calls(account: Account, said: Said, index: int) -> None:
    """Read the tool calls of a message or a delta."""
    if said.function_call is not None:
        account.called(index, LEGACY, None)
        read_function(account, said.function_call)
    for place, call in enumerate(said.tool_calls or ()):
        account.called(index, place if call.index is None else call.index, call.id)
        read_function(account, call.function or call.custom)


def read_function(account: Account, function: Function | None) -> None:
    """Read a tool's name and arguments."""
    if function is not None:
        words = function.name or "", as_text(function.arguments), as_text(function.input)
        account.tool_words(*words)


def read_usage(found: Any) -> Usage | None:
    """Return the usage of a reply; None where it is none that can be read."""
    try:
        return usage_of(msgspec.convert(found, Counted))
    except msgspec.ValidationError:
        return None


def usage_of(counted: Counted) -> Usage:
    """Return the usage that was counted."""
    prompt, response = counted.prompt_tokens_details, counted.completion_tokens_details
    return Usage(
        counted.prompt_tokens,
        counted.completion_tokens,
        None if prompt is None else prompt.cached_tokens,
        None if response is None else response.reasoning_tokens,
    )


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
    return EventStripper(EMPTY.search, adds_usage)


def adds_usage(event: bytes) -> bool:
    """Return whether an event has a usage and no choices."""
    if not NO_CHOICES.search(event):
        return False
    lines = event.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        return any(not _last.decode(data).choices for _, data in parse(lines))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
