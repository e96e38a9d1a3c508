"""Responses: /v1/responses. Streams report usage by themselves, in their last event.

A reply is one choice here: all output text counts as one reply.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from proxy.dialects.choices import NO_DETAILS, Details
from proxy.dialects.dialect import Dialect, RequestFacts
from proxy.dialects.wire.account import Account, Count, as_text
from proxy.dialects.wire.fields import flag, form, formatted, inner, listed, model, number, text
from proxy.dialects.wire.members import Members
from proxy.dialects.wire.prompt import conversation, unread
from proxy.exchange.observation import Usage


def peek(_: bytes, members: Members) -> RequestFacts:
    """Return the facts of a request's body, or raise Refusal(400) naming the member."""
    prompt = conversation(members.get("input"))
    form = inner(inner(members, "text"), "format", "text.format")
    return RequestFacts(
        model=model(members),
        stream=flag(members, "stream"),
        user=text(members, "safety_identifier") or text(members, "user"),
        max_tokens=number(members, "max_output_tokens", least=0),
        has_tools=listed(members, "tools"),
        has_format=formatted(form, "text.format"),
        prompt_chars=prompt.chars + unread(members.get("instructions")).chars,
        prompt_tail=prompt.tail,
    )


class Part(Struct, gc=False):
    """A piece of a message's content."""

    text: str | None = None
    refusal: str | None = None


class Item(Struct, gc=False):
    """One thing that a model put out: a message, a call, a piece of reasoning."""

    type: str = ""
    content: Any = None
    name: str | None = None
    arguments: Raw = Raw()
    input: Raw = Raw()  # a custom tool's


class Counted(Struct, gc=False):
    """The usage of responses."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    input_tokens_details: Details | None = None
    output_tokens_details: Details | None = None


class Why(Struct, gc=False):
    """Why a reply is not whole."""

    reason: str | None = None


class Response(Struct, gc=False):
    """A reply, as a body or as it stands in a stream's last event."""

    model: str | None = None
    status: str | None = None
    error: Any = None
    incomplete_details: Why | None = None
    usage: Any = None
    output: Raw = Raw()


class Event(Struct, gc=False):
    """One event of a stream."""

    type: str = ""
    delta: Raw = Raw()
    item: Item | None = None
    response: Response | None = None
    error: Any = None


_event: Final = msgspec.json.Decoder(Event)
_body: Final = msgspec.json.Decoder(Response)
_output: Final = msgspec.json.Decoder(list[Item] | None)

LAST: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})
UNDERWAY: Final = frozenset({"queued", "in_progress"})
TEXT: Final = "response.output_text.delta"
REFUSAL: Final = "response.refusal.delta"
TOOL_WORDS: Final = frozenset(
    {"response.function_call_arguments.delta", "response.custom_tool_call_input.delta"}
)


def read_event(account: Account, data: bytes) -> bool:
    """Read one event of a stream; return whether it carried output."""
    event = _event.decode(data)
    kind = event.type
    if event.error or kind == "error":
        account.error = True
    if kind.endswith(".delta"):
        return read_delta(account, kind, as_text(event.delta))
    if kind == "response.output_item.added" and event.item is not None:
        return read_call(account, event.item)
    if event.response is not None:
        read_end(account, kind, event.response)
    return False


def read_delta(account: Account, kind: str, piece: str) -> bool:
    """Read a piece of output; what is neither text nor a tool's words is output all the same."""
    if kind == TEXT:
        account.said(0, piece)
    elif kind == REFUSAL:
        account.refused = True
        account.said(0, piece)
    elif kind in TOOL_WORDS:
        account.tool_words(piece)
    return bool(piece)


def read_call(account: Account, item: Item) -> bool:
    """Read a call of a tool; return whether it is one."""
    if not item.type.endswith("_call"):
        return False
    account.tool_calls += 1
    account.tool_words(item.name or "", as_text(item.arguments), as_text(item.input))
    return True


def read_end(account: Account, kind: str, response: Response) -> None:
    """Read the reply as a stream's first and last events have it."""
    account.named(response.model)
    if kind not in LAST:
        return
    account.finished = True
    read_state(account, response)
    if not account.output_events:  # a server that sends no pieces, only the whole
        read_output(account, response.output)


def read_body(account: Account, data: bytes) -> bool:
    """Read a whole reply."""
    response = _body.decode(data)
    account.named(response.model)
    account.unseen = response.status in UNDERWAY
    read_state(account, response)
    read_output(account, response.output)
    return False


def read_state(account: Account, response: Response) -> None:
    """Read how a reply ended and what it cost."""
    reason = response.incomplete_details and response.incomplete_details.reason
    account.ended(reason or response.status)
    if reason == "content_filter":
        account.refused = True
    if response.error or response.status == "failed":
        account.error = True
    account.counted(read_usage(response.usage))


def read_output(account: Account, output: Raw) -> None:
    """Read all that a model put out."""
    for item in _output.decode(output if output != Raw() else b"null") or ():
        read_call(account, item)
        if item.type == "message":
            read_content(account, item.content)


def read_content(account: Account, content: Any) -> None:
    """Read a message's parts."""
    for part in msgspec.convert(content, list[Part] | None) or ():
        if part.refusal:
            account.refused = True
        account.said(0, part.text or part.refusal or "")


def read_usage(found: Any) -> Usage | None:
    """Return the usage of a reply; None where there is none, or none that can be read."""
    try:
        counted = msgspec.convert(found, Counted)
    except msgspec.ValidationError:
        return None
    return Usage(
        counted.input_tokens,
        counted.output_tokens,
        (counted.input_tokens_details or NO_DETAILS).cached_tokens,
        (counted.output_tokens_details or NO_DETAILS).reasoning_tokens,
    )


def asked_form(members: Members) -> bytes:
    """Return the JSON by which a request asks for a form of its reply; b"": it does not."""
    return form(members, "text", "format")


RESPONSES: Final = Dialect(
    name="responses",
    path="/v1/responses",
    peek=peek,
    form=asked_form,
    read_body=read_body,
    read_event=read_event,
)
