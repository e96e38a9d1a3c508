"""Chat and completions as vLLM, llama.cpp and gateways send them."""

from proxy.exchange import Reading
from proxy.exchange.observation import Usage
from tests.dialects.recorded.forms import (
    CHAT,
    COMPLETIONS,
    Recorded,
    delta,
    stream_of,
    whole,
)

OTHER_CHAT = {
    "vLLM: reasoning, and usage in every chunk": Recorded(
        path=CHAT,
        body=stream_of(
            {
                "id": "chatcmpl-7",
                "object": "chat.completion.chunk",
                "model": "support-lora-v2",
                "choices": [delta(role="assistant", content="")],
                "usage": {"prompt_tokens": 9, "total_tokens": 9, "completion_tokens": 0},
            },
            {
                "model": "support-lora-v2",
                "choices": [delta(reasoning_content="Hmm")],
                "usage": {"prompt_tokens": 9, "total_tokens": 10, "completion_tokens": 1},
            },
            {
                "model": "support-lora-v2",
                "choices": [delta(reasoning="so", reasoning_content=None)],
                "usage": {"prompt_tokens": 9, "total_tokens": 11, "completion_tokens": 2},
            },
            {
                "model": "support-lora-v2",
                "choices": [{**delta(content="42", finish="stop"), "stop_reason": None}],
                "usage": {"prompt_tokens": 9, "total_tokens": 12, "completion_tokens": 3},
            },
            {
                "model": "support-lora-v2",
                "choices": [],
                "usage": {
                    "prompt_tokens": 9,
                    "total_tokens": 12,
                    "completion_tokens": 3,
                    "prompt_tokens_details": None,
                },
            },
        ),
        reading=Reading(
            usage=Usage(9, 3),
            model="support-lora-v2",
            text="42",
            reply_chars=2,
            preview="42",
            finish_reason="stop",
            finished=True,
            output_events=3,
        ),
    ),
    "vLLM of old: an error in the stream": Recorded(
        path=CHAT,
        body=stream_of(
            {"object": "error", "message": "out of memory", "type": "x", "code": 500}, spaced=True
        ),
        reading=Reading(text="", error=True, finished=True),
    ),
    "llama.cpp: a stream with timings": Recorded(
        path=CHAT,
        body=stream_of(
            {"choices": [delta(role="assistant", content=None)], "model": "tiny.gguf"},
            {"choices": [delta(content="Hi")], "model": "tiny.gguf"},
            {
                "choices": [delta(finish="length")],
                "model": "tiny.gguf",
                "timings": {"prompt_n": 5, "predicted_n": 1, "predicted_per_second": 99.5},
            },
            {
                "choices": [],
                "model": "tiny.gguf",
                "usage": {"completion_tokens": 1, "prompt_tokens": 5, "total_tokens": 6},
            },
        ),
        reading=Reading(
            usage=Usage(5, 1),
            model="tiny.gguf",
            text="Hi",
            reply_chars=2,
            preview="Hi",
            finish_reason="length",
            finished=True,
            output_events=1,
        ),
    ),
    "llama.cpp of old: an error field": Recorded(
        path=CHAT,
        body=b'error: {"code":500,"message":"context is full","type":"server_error"}\n\n',
        reading=Reading(text="", error=True),
    ),
    "OpenRouter: comments, and an error in a choice": Recorded(
        path=CHAT,
        body=(
            b": OPENROUTER PROCESSING\r\n\r\n"
            b'data: {"model":"m","choices":[{"delta":{"content":"a"}}]}\r\n\r\n'
            b'data: {"model":"m","choices":[{"delta":{},"finish_reason":"error",'
            b'"error":{"code":502}}]}\r\n\r\n'
            b"data: [DONE]\r\n\r\n"
        ),
        reading=Reading(
            model="m",
            text="a",
            reply_chars=1,
            preview="a",
            finish_reason="error",
            finished=True,
            error=True,
            output_events=1,
        ),
    ),
    "Mistral: content in parts, calls without an index": Recorded(
        path=CHAT,
        body=stream_of(
            {
                "model": "magistral",
                "choices": [
                    {"delta": {"content": [{"type": "thinking", "thinking": []}]}},
                ],
            },
            {"model": "magistral", "choices": [{"delta": {"content": [{"text": "Fine"}]}}]},
            {
                "model": "magistral",
                "choices": [
                    {
                        "delta": {
                            "tool_calls": [
                                {"id": "a", "function": {"name": "f", "arguments": {"x": 1}}},
                                {"id": "b", "function": {"name": "g", "arguments": None}},
                            ]
                        }
                    },
                ],
            },
            {
                "model": "magistral",
                "choices": [
                    {"delta": {"tool_calls": [{"id": "c", "index": 0, "function": None}]}},
                ],
            },
        ),
        reading=Reading(
            model="magistral",
            text='Finef{"x":1}g',
            reply_chars=4,
            preview='Finef{"x":',
            finished=True,
            tool_calls=3,
            output_events=4,
        ),
    ),
    "completions: a stream": Recorded(
        path=COMPLETIONS,
        body=stream_of(
            {"object": "text_completion", "model": "m", "choices": [{"index": 0, "text": "One"}]},
            {"model": "m", "choices": [{"index": 0, "text": " two", "finish_reason": None}]},
            {"model": "m", "choices": [{"index": 0, "text": "", "finish_reason": "stop"}]},
        ),
        reading=Reading(
            model="m",
            text="One two",
            reply_chars=7,
            preview="One two",
            finish_reason="stop",
            finished=True,
            output_events=2,
        ),
    ),
    "completions: whole": Recorded(
        path=COMPLETIONS,
        stream=False,
        body=whole(
            model="m",
            choices=[
                {"text": "One", "index": 0, "logprobs": None, "finish_reason": "length"},
                {"text": "Another", "index": 1, "logprobs": None, "finish_reason": "stop"},
            ],
            usage={"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4},
        ),
        reading=Reading(
            usage=Usage(2, 2),
            model="m",
            text="OneAnother",
            choices=(3, 7),
            reply_chars=3,
            preview="OneAnother",
            finish_reason="length",
        ),
    ),
}
