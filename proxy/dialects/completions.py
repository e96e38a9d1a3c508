"""Completions: /v1/completions, the request side."""

from proxy.dialects import choices
from proxy.dialects.dialect import Members, Meter, RequestFacts, Stripper
from proxy.dialects.wire.account import Account
from proxy.dialects.wire.fields import flag, formatted, inner, model, number, text
from proxy.dialects.wire.meters import meter
from proxy.dialects.wire.prompt import plain


class Completions:
    """OpenAI's completions of plain prompts."""

    name = "completions"
    path = "/v1/completions"

    def peek(self, body: bytes, members: Members) -> RequestFacts:  # noqa: ARG002  # the port's form
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

    def ask_usage(self, members: Members) -> Members | None:
        """Return the members that make a stream report usage; None: it does."""
        return choices.ask_usage(members)

    def stripper(self) -> Stripper:
        """Return what takes the usage out again that `ask_usage` asked for."""
        return choices.stripper()

    def meter(self, *, stream: bool, keep_text: int, preview_chars: int) -> Meter:
        """Return a meter for one reply that keeps at most `keep_text` characters of it."""
        account = Account(keep_text=keep_text, preview_chars=preview_chars)
        return meter(account, choices.read, stream=stream)
