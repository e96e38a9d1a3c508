"""Embeddings: /v1/embeddings. Their replies are numbers: nothing but usage is read."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from proxy.dialects.choices import read_usage
from proxy.dialects.dialect import Members, Meter, RequestFacts, Stripper
from proxy.dialects.wire.account import Account
from proxy.dialects.wire.fields import model, text
from proxy.dialects.wire.meters import meter
from proxy.dialects.wire.prompt import plain
from proxy.dialects.wire.stripper import Untouched


class Reply(Struct, gc=False):
    """What is read of a reply; the vectors are skipped."""

    model: str | None = None
    usage: Any = None
    error: Any = None


_reply: Final = msgspec.json.Decoder(Reply)


class Embeddings:
    """OpenAI's embeddings."""

    name = "embeddings"
    path = "/v1/embeddings"

    def peek(self, body: bytes, members: Members) -> RequestFacts:  # noqa: ARG002  # the port's form
        """Return the facts of a request's body, or raise Refusal(400) naming the member."""
        prompt = plain(members.get("input"))
        return RequestFacts(
            model=model(members),
            user=text(members, "user"),
            prompt_chars=prompt.chars,
            prompt_tail=prompt.tail,
        )

    def ask_usage(self, members: Members) -> Members | None:  # noqa: ARG002  # the port's form
        """Return None: replies always report usage."""
        return None

    def stripper(self) -> Stripper:
        """Return what leaves a reply as it is."""
        return Untouched()

    def meter(self, *, stream: bool, keep_text: int, preview_chars: int) -> Meter:
        """Return a meter for one reply, which has no text to keep."""
        account = Account(keep_text=keep_text, preview_chars=preview_chars)
        return meter(account, read, stream=stream)


def read(account: Account, data: bytes) -> bool:
    """Read a whole reply."""
    account.unseen = True
    reply = _reply.decode(data)
    account.error = bool(reply.error)
    account.named(reply.model)
    account.counted(read_usage(reply.usage))
    return False
