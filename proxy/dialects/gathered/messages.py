"""Anthropic's messages: blocks that are begun, grow and end."""

import json
from collections.abc import Iterable
from contextlib import suppress

from proxy.dialects.gathered.growing import Value, fresh, grow, grown


def gather(events: Iterable[Value]) -> Value:
    """Return the reply that these events add up to."""
    whole: Value = {}
    blocks: dict[int, Value] = {}
    for event in events:
        match event:
            case {"type": "message_start", "message": dict(message)}:
                grow(whole, message)
            case {"type": "content_block_start", "content_block": dict(block)}:
                blocks[event.get("index", 0)] = fresh("", block)
            case {"type": "content_block_delta", "delta": dict(delta)}:
                del delta["type"]
                grow(blocks.setdefault(event.get("index", 0), {}), delta)
            case {"type": "message_delta"}:
                grow(whole, event.get("delta") or {})
                grow(whole, {"usage": event.get("usage")})
            case {"error": error}:
                whole["error"] = error
    if blocks:
        whole["content"] = [closed(grown(blocks[index])) for index in sorted(blocks)]
    finished: Value = grown(whole)
    return finished


def closed(block: Value) -> Value:
    """Return a block with a tool's input as it is in a whole reply, where it came whole."""
    with suppress(ValueError, RecursionError):
        block["input"] = json.loads(block.get("partial_json", ""))
        del block["partial_json"]
    return block
