"""Messages as Anthropic sends them."""

from proxy.exchange import Reading
from proxy.exchange.observation import Usage
from tests.dialects.recorded.forms import (
    MESSAGES,
    Recorded,
    named,
    whole,
)

ANTHROPIC = {
    "Anthropic: a stream": Recorded(
        path=MESSAGES,
        body=named(
            {
                "type": "message_start",
                "message": {
                    "id": "msg_01",
                    "type": "message",
                    "role": "assistant",
                    "model": "claude-sonnet-4-5",
                    "content": [],
                    "stop_reason": None,
                    "usage": {
                        "input_tokens": 3,
                        "cache_creation_input_tokens": 10,
                        "cache_read_input_tokens": 100,
                        "output_tokens": 1,
                    },
                },
            },
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "thinking", "thinking": "", "signature": ""},
            },
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "thinking_delta", "thinking": "Hm"},
            },
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "signature_delta", "signature": "EqQB"},
            },
            {"type": "content_block_stop", "index": 0},
            {
                "type": "content_block_start",
                "index": 1,
                "content_block": {"type": "text", "text": ""},
            },
            {"type": "ping"},
            {
                "type": "content_block_delta",
                "index": 1,
                "delta": {"type": "text_delta", "text": "Grüezi"},
            },
            {
                "type": "content_block_start",
                "index": 2,
                "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}},
            },
            {
                "type": "content_block_delta",
                "index": 2,
                "delta": {"type": "input_json_delta", "partial_json": '{"a": 1}'},
            },
            {
                "type": "message_delta",
                "delta": {"stop_reason": "tool_use", "stop_sequence": None},
                "usage": {"output_tokens": 25},
            },
            {"type": "message_stop"},
        ),
        reading=Reading(
            usage=Usage(113, 25, 100),
            model="claude-sonnet-4-5",
            text='Grüezif{"a": 1}',
            reply_chars=6,
            preview='Grüezif{"a',
            finish_reason="tool_use",
            finished=True,
            tool_calls=1,
            output_events=4,
        ),
    ),
    "Anthropic: a stream that was cut": Recorded(
        path=MESSAGES,
        body=named(
            {
                "type": "message_start",
                "message": {
                    "model": "claude",
                    "usage": {
                        "input_tokens": 3,
                        "cache_read_input_tokens": 0,
                        "output_tokens": 1,
                    },
                },
            },
            {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "H"}},
        ),
        reading=Reading(
            usage=Usage(3, None, 0),
            model="claude",
            text="H",
            reply_chars=1,
            preview="H",
            output_events=1,
        ),
    ),
    "Anthropic: an error event": Recorded(
        path=MESSAGES,
        body=named({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}),
        reading=Reading(text="", error=True),
    ),
    "Anthropic: whole": Recorded(
        path=MESSAGES,
        stream=False,
        body=whole(
            id="msg_01",
            type="message",
            model="claude",
            content=[
                {"type": "thinking", "thinking": "Hm", "signature": "x"},
                {"type": "text", "text": "Hello", "citations": None},
                {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
            ],
            stop_reason="tool_use",
            usage={
                "input_tokens": 3,
                "cache_creation_input_tokens": None,
                "cache_read_input_tokens": 0,
                "output_tokens": 9,
            },
        ),
        reading=Reading(
            usage=Usage(3, 9, 0),
            model="claude",
            text='Hellof{\n        "a": 1\n      }',
            reply_chars=5,
            preview="Hellof{\n  ",
            finish_reason="tool_use",
            tool_calls=1,
        ),
    ),
    "Anthropic: whole, a refusal": Recorded(
        path=MESSAGES,
        stream=False,
        body=whole(type="message", model="claude", content=[], stop_reason="refusal"),
        reading=Reading(
            model="claude", text="", reply_chars=0, finish_reason="refusal", refused=True
        ),
    ),
    "Anthropic: an error as a whole reply": Recorded(
        path=MESSAGES,
        stream=False,
        body=whole(type="error", error={"type": "invalid_request_error", "message": "x"}),
        reading=Reading(text="", error=True),
    ),
}
