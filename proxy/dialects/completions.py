"""Completions of plain prompts: OpenAI's /v1/completions, the request side."""

from typing import Final

from proxy.dialects import choices
from proxy.dialects.dialect import Dialect, RequestFacts
from proxy.dialects.wire.fields import flag, formatted, inner, model, number, text
from proxy.dialects.wire.members import Members
from proxy.dialects.wire.prompt import plain


def peek(_: bytes, members: Members) -> RequestFacts:
    """Return the facts of a request's body, or raise Refusal(400) naming the member."""
    stream = flag(members, "stream")
    prompt = plain(members.get("prompt"))
    n = number(members, "n", least=1) or 1
    best_of = number(members, "best_of", least=1) or 1
    return RequestFacts(
        model=model(members),
        stream=stream,
        user=text(members, "user"),
        wants_usage=choices.asks_usage(members) or not stream,
        n=max(n, best_of),  # as many are generated, whatever is shown of them
        max_tokens=number(members, "max_tokens", least=0),
        has_format=formatted(inner(members, "response_format"), "response_format"),
        prompt_chars=prompt.chars,
        prompt_tail=prompt.tail,
    )


COMPLETIONS: Final = Dialect(
    name="completions",
    path="/v1/completions",
    peek=peek,
    read_body=choices.read,
    read_event=choices.read,
    ask_usage=choices.ask_usage,
    stripper=choices.stripper,
)
