"""How replies are written down here: bytes as they come, and what is to be read off them."""

import json
from typing import Any

from msgspec import Struct

from proxy.exchange import Reading

CHAT = "/v1/chat/completions"
COMPLETIONS = "/v1/completions"
RESPONSES = "/v1/responses"
MESSAGES = "/v1/messages"
EMBEDDINGS = "/v1/embeddings"
DONE = b"data: [DONE]\n\n"


class Recorded(Struct, kw_only=True):
    """A reply and what is to be read off it."""

    path: str
    body: bytes
    reading: Reading
    stream: bool = True


def openai(**members: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-CQ3fYq8WkX1",
        "object": "chat.completion.chunk",
        "created": 1763800000,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "system_fingerprint": "fp_560af6e559",
        **members,
    }


def delta(index: int = 0, finish: str | None = None, **pieces: Any) -> dict[str, Any]:
    return {"index": index, "delta": pieces, "logprobs": None, "finish_reason": finish}


def tool(index: int, arguments: str, **first: Any) -> list[dict[str, Any]]:
    name = {"name": first.pop("name")} if first else {}
    return [{"index": index, **first, "function": {**name, "arguments": arguments}}]


def stream_of(*events: dict[str, Any], done: bytes = DONE, spaced: bool = False) -> bytes:
    separators = None if spaced else (",", ":")
    lines = (json.dumps(e, separators=separators, ensure_ascii=False).encode() for e in events)
    return b"".join(b"data: " + line + b"\n\n" for line in lines) + done


def named(*events: dict[str, Any]) -> bytes:
    return b"".join(
        b"event: " + e["type"].encode() + b"\ndata: " + json.dumps(e).encode() + b"\n\n"
        for e in events
    )


def whole(**members: Any) -> bytes:
    return json.dumps(members, indent=2).encode()
