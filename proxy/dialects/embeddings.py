"""Embeddings: OpenAI's /v1/embeddings. Their replies are numbers: nothing but usage is read."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from proxy.dialects.choices import read_usage
from proxy.dialects.dialect import Dialect, RequestFacts
from proxy.dialects.wire.account import Account
from proxy.dialects.wire.fields import model, text
from proxy.dialects.wire.members import Members
from proxy.dialects.wire.prompt import plain


class Reply(Struct, gc=False):
    """What is read of a reply; the vectors are skipped."""

    model: str | None = None
    usage: Any = None
    error: Any = None


_reply: Final = msgspec.json.Decoder(Reply)


def peek(_: bytes, members: Members) -> RequestFacts:
    """Return the facts of a request's body, or raise Refusal(400) naming the member."""
    prompt = plain(members.get("input"))
    return RequestFacts(
        model=model(members),
        user=text(members, "user"),
        prompt_chars=prompt.chars,
        prompt_tail=prompt.tail,
    )


def read(account: Account, data: bytes) -> bool:
    """Read a whole reply."""
    account.unseen = True
    reply = _reply.decode(data)
    account.error = bool(reply.error)
    account.named(reply.model)
    account.counted(read_usage(reply.usage))
    return False


EMBEDDINGS: Final = Dialect(
    name="embeddings", path="/v1/embeddings", peek=peek, read_body=read, read_event=read
)
