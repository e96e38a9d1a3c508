"""Chat: /v1/chat/completions, the request side."""

from typing import Final

from proxy.dialects import choices
from proxy.dialects.dialect import Members, Meter, RequestFacts, Stripper
from proxy.dialects.wire.account import Account
from proxy.dialects.wire.fields import flag, formatted, inner, listed, model, number, text
from proxy.dialects.wire.meters import meter
from proxy.dialects.wire.prompt import conversation


class Chat:
    """OpenAI's chat completions."""

    name = "chat"
    path = "/v1/chat/completions"

    def peek(self, members: Members) -> RequestFacts:
        """Return the facts of a request's body, or raise Refusal(400) naming the member."""
        stream = flag(members, "stream")
        prompt = conversation(members.get("messages"))
        limits = [number(members, name, least=0) for name in MAX_TOKENS]
        return RequestFacts(
            model=model(members),
            stream=stream,
            user=text(members, "safety_identifier") or text(members, "user"),
            wants_usage=choices.asks_usage(members) or not stream,
            n=number(members, "n", least=1) or 1,
            max_tokens=max((limit for limit in limits if limit is not None), default=None),
            has_tools=listed(members, "tools") or listed(members, "functions"),
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


MAX_TOKENS: Final = ("max_tokens", "max_completion_tokens")
