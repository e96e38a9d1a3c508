"""Replies made of choices, whole ones and events: whatever they say is read.

As OpenAI, vLLM, llama.cpp and the gateways write them, for chat and completions alike.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from proxy.dialects.choices.usage import Counted, usage_of
from proxy.dialects.wire.account import Account, as_text


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


class Uncounted(Struct, gc=False):
    """A whole reply, or one event of a stream, whose usage is not read."""

    model: str | None = None
    choices: list[Choice] | None = None
    error: Any = None
    object: str | None = None


class Reply(Uncounted, gc=False):
    """A whole reply, or one event of a stream."""

    usage: Counted | None = None


_reply: Final = msgspec.json.Decoder(Reply)
_uncounted: Final = msgspec.json.Decoder(Uncounted)

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
    if said.audio:
        content = content or read_audio(account, said.audio)
    account.said(index, content or "")
    output = bool(said.content or said.reasoning_content or said.reasoning or said.audio)
    if said.refusal:
        account.refused = output = True
        account.said(index, said.refusal)
    if said.tool_calls or said.function_call:
        output = True
        read_calls(account, said, index)
    return output


def read_audio(account: Account, audio: Any) -> str:
    """Return the words of a spoken reply, or of a piece of one, as far as it has a transcript."""
    words = audio.get("transcript") if isinstance(audio, dict) else None
    if words and isinstance(words, str):
        return words
    account.unseen = True
    return ""


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
