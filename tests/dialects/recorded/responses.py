"""Embeddings and responses as OpenAI sends them."""

from proxy.exchange import Reading
from proxy.exchange.observation import Usage
from tests.dialects.recorded.forms import (
    EMBEDDINGS,
    RESPONSES,
    Recorded,
    named,
    whole,
)

OPENAI_OTHERS = {
    "embeddings": Recorded(
        path=EMBEDDINGS,
        stream=False,
        body=whole(
            object="list",
            data=[{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}],
            model="text-embedding-3-small",
            usage={"prompt_tokens": 8, "total_tokens": 8},
        ),
        reading=Reading(usage=Usage(8), model="text-embedding-3-small", text=""),
    ),
    "responses: a stream": Recorded(
        path=RESPONSES,
        body=named(
            {"type": "response.created", "response": {"model": "gpt-5", "status": "in_progress"}},
            {
                "type": "response.output_item.added",
                "item": {"type": "reasoning", "summary": [], "content": []},
            },
            {"type": "response.reasoning_summary_text.delta", "delta": "Think"},
            {
                "type": "response.output_item.added",
                "item": {"type": "message", "content": [], "role": "assistant"},
            },
            {"type": "response.output_text.delta", "output_index": 1, "delta": "Hello"},
            {"type": "response.output_text.delta", "output_index": 1, "delta": " you"},
            {"type": "response.output_text.done", "text": "Hello you"},
            {
                "type": "response.output_item.added",
                "item": {"type": "function_call", "name": "f", "arguments": "", "call_id": "c"},
            },
            {"type": "response.function_call_arguments.delta", "delta": '{"a"'},
            {"type": "response.function_call_arguments.delta", "delta": ":1}"},
            {
                "type": "response.completed",
                "response": {
                    "model": "gpt-5-2025-08-07",
                    "status": "completed",
                    "error": None,
                    "incomplete_details": None,
                    "output": [{"type": "message", "content": [{"text": "Hello you"}]}],
                    "usage": {
                        "input_tokens": 11,
                        "input_tokens_details": {"cached_tokens": 0},
                        "output_tokens": 30,
                        "output_tokens_details": {"reasoning_tokens": 20},
                        "total_tokens": 41,
                    },
                },
            },
        ),
        reading=Reading(
            usage=Usage(11, 30, 0, 20),
            model="gpt-5",
            text='Hello youf{"a":1}',
            reply_chars=9,
            preview="Hello youf",
            finish_reason="completed",
            finished=True,
            tool_calls=1,
            output_events=6,
        ),
    ),
    "responses: a stream that refuses": Recorded(
        path=RESPONSES,
        body=named(
            {"type": "response.refusal.delta", "delta": "No."},
            {
                "type": "response.incomplete",
                "response": {
                    "status": "incomplete",
                    "incomplete_details": {"reason": "content_filter"},
                },
            },
        ),
        reading=Reading(
            text="No.",
            reply_chars=3,
            preview="No.",
            finish_reason="content_filter",
            finished=True,
            refused=True,
            output_events=1,
        ),
    ),
    "responses: a stream that fails": Recorded(
        path=RESPONSES,
        body=named(
            {"type": "response.output_text.delta", "delta": "Hel"},
            {
                "type": "response.failed",
                "response": {"status": "failed", "error": {"code": "server_error"}},
            },
        ),
        reading=Reading(
            text="Hel",
            reply_chars=3,
            preview="Hel",
            finish_reason="failed",
            finished=True,
            error=True,
            output_events=1,
        ),
    ),
    "responses: an error event": Recorded(
        path=RESPONSES,
        body=named({"type": "error", "code": "server_error", "message": "x", "param": None}),
        reading=Reading(text="", error=True),
    ),
    "responses: a stream that sends only the whole": Recorded(
        path=RESPONSES,
        body=named(
            {
                "type": "response.completed",
                "response": {
                    "status": "completed",
                    "output": [
                        {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
                    ],
                },
            }
        ),
        reading=Reading(
            text="Hi", reply_chars=2, preview="Hi", finish_reason="completed", finished=True
        ),
    ),
    "responses: whole": Recorded(
        path=RESPONSES,
        stream=False,
        body=whole(
            id="resp_1",
            object="response",
            model="gpt-5",
            status="incomplete",
            error=None,
            incomplete_details={"reason": "max_output_tokens"},
            output=[
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "…"}]},
                {"type": "web_search_call", "status": "completed"},
                {
                    "type": "message",
                    "content": [
                        {"type": "output_text", "text": "It is", "annotations": []},
                        {"type": "output_text", "text": " so"},
                    ],
                },
                {"type": "custom_tool_call", "name": "g", "input": "free"},
                {"type": "message", "content": None},
            ],
            usage={"input_tokens": 3, "output_tokens": 4, "input_tokens_details": None},
        ),
        reading=Reading(
            usage=Usage(3, 4),
            model="gpt-5",
            text="It is sogfree",
            reply_chars=8,
            preview="It is sogf",
            finish_reason="max_output_tokens",
            tool_calls=2,
        ),
    ),
    "responses: whole, a refusal": Recorded(
        path=RESPONSES,
        stream=False,
        body=whole(
            model="gpt-5",
            status="completed",
            output=[{"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}],
        ),
        reading=Reading(
            model="gpt-5",
            text="No.",
            reply_chars=3,
            preview="No.",
            finish_reason="completed",
            refused=True,
        ),
    ),
    "responses: taken on, to be fetched later": Recorded(
        path=RESPONSES,
        stream=False,
        body=whole(model="gpt-5", status="queued", output=[], usage=None),
        reading=Reading(model="gpt-5", text="", finish_reason="queued"),
    ),
}
