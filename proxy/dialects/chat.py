"""Chat: OpenAI's /v1/chat/completions, the request side.

Nearly all requests are as `Asked` has them: read in one go. The others are read member by member,
which takes whatever can be taken and knows the name of what can't.
"""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw, Struct

from proxy.dialects import choices
from proxy.dialects.dialect import Dialect, RequestFacts
from proxy.dialects.wire.fields import LARGE, flag, formatted, inner, listed, model, number, text
from proxy.dialects.wire.members import Members
from proxy.dialects.wire.prompt import CANT_READ, Turn, conversation, of_turns


class Options(Struct, gc=False):
    """How to stream."""

    include_usage: Any = None


class Format(Struct, gc=False):
    """The form that a reply must have."""

    type: str | None = None


class Asked(Struct, gc=False):
    """What is read of a request, with the types and sizes that are taken; null is absent."""

    model: Annotated[str, Meta(min_length=1)]
    messages: str | list[Turn] | None = None
    stream: bool | None = None
    stream_options: Options | None = None
    user: str | None = None
    safety_identifier: str | None = None
    n: Annotated[int, Meta(ge=1)] | None = None
    max_tokens: Annotated[int, Meta(ge=0)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=0)] | None = None
    tools: list[Raw] | None = None
    functions: list[Raw] | None = None
    response_format: Format | None = None


_asked: Final = msgspec.json.Decoder(Asked)


def peek(body: bytes, members: Members) -> RequestFacts:
    """Return the facts of a request's body, or raise Refusal(400) naming the member."""
    if len(body) <= LARGE:
        try:
            return at_once(body)
        except CANT_READ:
            pass
    return by_member(members)


def at_once(body: bytes) -> RequestFacts:
    """Return the facts of a body as `Asked` has it; raises msgspec's errors."""
    asked = _asked.decode(body)
    options, form = asked.stream_options, asked.response_format
    prompt = of_turns(asked.messages or ())
    return RequestFacts(
        model=asked.model,
        stream=asked.stream or False,
        user=asked.safety_identifier or asked.user or None,
        wants_usage=not asked.stream or (options is not None and options.include_usage is True),
        n=asked.n or 1,
        max_tokens=larger(asked.max_tokens, asked.max_completion_tokens),
        has_tools=bool(asked.tools or asked.functions),
        has_format=form is not None and (form.type or "text") != "text",
        prompt_chars=prompt.chars,
        prompt_tail=prompt.tail,
    )


def by_member(members: Members) -> RequestFacts:
    """Return the same facts, read one by one, or raise Refusal(400) naming the member."""
    stream = flag(members, "stream")
    prompt = conversation(members.get("messages"))
    return RequestFacts(
        model=model(members),
        stream=stream,
        user=text(members, "safety_identifier") or text(members, "user"),
        wants_usage=choices.asks_usage(members) or not stream,
        n=number(members, "n", least=1) or 1,
        max_tokens=larger(
            number(members, "max_tokens", least=0),
            number(members, "max_completion_tokens", least=0),
        ),
        has_tools=listed(members, "tools") or listed(members, "functions"),
        has_format=formatted(inner(members, "response_format"), "response_format"),
        prompt_chars=prompt.chars,
        prompt_tail=prompt.tail,
    )


def larger(one: int | None, other: int | None) -> int | None:
    """Return the larger of two limits, as far as they are given."""
    return one if other is None else other if one is None else max(one, other)


CHAT: Final = Dialect(
    name="chat",
    path="/v1/chat/completions",
    peek=peek,
    read_body=choices.read,
    read_event=choices.read,
    read_text=choices.read_text,
    read_texts=choices.read_texts,
    ask_usage=choices.ask_usage,
    stripper=choices.stripper,
)
