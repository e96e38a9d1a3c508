"""Chat as OpenAI sends it."""

from proxy.exchange import Reading
from proxy.exchange.observation import Usage
from tests.dialects.recorded.forms import (
    CHAT,
    Recorded,
    delta,
    openai,
    stream_of,
    tool,
    whole,
)

OPENAI_USAGE = {
    "prompt_tokens": 19,
    "completion_tokens": 3,
    "total_tokens": 22,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
MINI = "gpt-4o-mini-2024-07-18"

OPENAI_CHAT = {
    "OpenAI: a stream with usage": Recorded(
        path=CHAT,
        body=stream_of(
            openai(choices=[delta(role="assistant", content="", refusal=None)], usage=None),
            openai(choices=[delta(content="Grüß")], usage=None),
            openai(choices=[delta(content=" dich")], usage=None),
            openai(choices=[delta(content=" 😀!")], usage=None),
            openai(choices=[delta(finish="stop")], usage=None),
            openai(choices=[], usage=OPENAI_USAGE),
        ),
        reading=Reading(
            usage=Usage(19, 3, 0, 0),
            model=MINI,
            text="Grüß dich 😀!",
            reply_chars=12,
            preview="Grüß dich ",
            finish_reason="stop",
            finished=True,
            output_events=3,
        ),
    ),
    "OpenAI: a stream of two tool calls": Recorded(
        path=CHAT,
        body=stream_of(
            openai(
                choices=[
                    delta(
                        role="assistant",
                        content=None,
                        tool_calls=tool(0, "", name="weather", id="call_a", type="function"),
                    )
                ]
            ),
            openai(choices=[delta(tool_calls=tool(0, '{"ci'))]),
            openai(choices=[delta(tool_calls=tool(0, 'ty":"Bern"}'))]),
            openai(
                choices=[
                    delta(tool_calls=tool(1, "", name="time", id="call_b", type="function")),
                ]
            ),
            openai(choices=[delta(tool_calls=tool(1, "{}"))]),
            openai(choices=[delta(finish="tool_calls")]),
        ),
        reading=Reading(
            model=MINI,
            text='weather{"city":"Bern"}time{}',
            reply_chars=0,
            preview='weather{"c',
            finish_reason="tool_calls",
            finished=True,
            tool_calls=2,
            output_events=5,
        ),
    ),
    "OpenAI: two choices, one of them empty": Recorded(
        path=CHAT,
        body=stream_of(
            openai(choices=[delta(0, role="assistant", content="")]),
            openai(choices=[delta(1, role="assistant", content="")]),
            openai(choices=[delta(0, content="Yes, of course.")]),
            openai(choices=[delta(1, "stop")]),
            openai(choices=[delta(0, "length")]),
        ),
        reading=Reading(
            model=MINI,
            text="Yes, of course.",
            choices=(15, 0),
            reply_chars=0,
            preview="Yes, of co",
            finish_reason="stop",
            finished=True,
            output_events=1,
        ),
    ),
    "OpenAI: a refusal": Recorded(
        path=CHAT,
        body=stream_of(
            openai(choices=[delta(role="assistant", content=None, refusal="")]),
            openai(choices=[delta(refusal="I can't")]),
            openai(choices=[delta(refusal=" help.")]),
            openai(choices=[delta(finish="stop")]),
        ),
        reading=Reading(
            model=MINI,
            text="I can't help.",
            reply_chars=13,
            preview="I can't he",
            finish_reason="stop",
            finished=True,
            refused=True,
            output_events=2,
        ),
    ),
    "Azure: cut by the content filter": Recorded(
        path=CHAT,
        body=stream_of(
            {"choices": [], "prompt_filter_results": [{"prompt_index": 0}], "model": ""},
            openai(choices=[delta(content="Well")]),
            openai(choices=[delta(finish="content_filter")]),
        ),
        reading=Reading(
            model=MINI,
            text="Well",
            reply_chars=4,
            preview="Well",
            finish_reason="content_filter",
            finished=True,
            refused=True,
            output_events=1,
        ),
    ),
    "OpenAI: an error in the stream": Recorded(
        path=CHAT,
        body=stream_of(
            openai(choices=[delta(content="Hel")]),
            {"error": {"message": "overloaded", "type": "server_error", "code": None}},
            done=b"",
        ),
        reading=Reading(
            model=MINI,
            text="Hel",
            reply_chars=3,
            preview="Hel",
            error=True,
            output_events=1,
        ),
    ),
    "OpenAI: a whole reply": Recorded(
        path=CHAT,
        stream=False,
        body=whole(
            id="chatcmpl-CQ3",
            object="chat.completion",
            model=MINI,
            choices=[
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": "Hello there, friend.",
                        "refusal": None,
                        "annotations": [],
                    },
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            usage={
                **OPENAI_USAGE,
                "prompt_tokens_details": {"cached_tokens": 1024},
                "completion_tokens_details": {"reasoning_tokens": 64},
            },
        ),
        reading=Reading(
            usage=Usage(19, 3, 1024, 64),
            model=MINI,
            text="Hello there, friend.",
            reply_chars=20,
            preview="Hello ther",
            finish_reason="stop",
        ),
    ),
    "OpenAI: whole, with a tool call and a custom one": Recorded(
        path=CHAT,
        stream=False,
        body=whole(
            model=MINI,
            choices=[
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [
                            {
                                "id": "call_a",
                                "type": "function",
                                "function": {"name": "f", "arguments": '{"a": 1}'},
                            },
                            {
                                "id": "call_b",
                                "type": "custom",
                                "custom": {"name": "g", "input": "free text"},
                            },
                        ],
                    },
                    "finish_reason": "tool_calls",
                }
            ],
            usage={"prompt_tokens": 5, "completion_tokens": 0, "prompt_tokens_details": None},
        ),
        reading=Reading(
            usage=Usage(5, 0),
            model=MINI,
            text='f{"a": 1}gfree text',
            reply_chars=0,
            preview='f{"a": 1}g',
            finish_reason="tool_calls",
            tool_calls=2,
        ),
    ),
    "OpenAI: whole, the function call of old": Recorded(
        path=CHAT,
        stream=False,
        body=whole(
            model="gpt-4-0613",
            choices=[
                {
                    "message": {
                        "content": None,
                        "function_call": {"name": "f", "arguments": "{}"},
                    },
                    "finish_reason": "function_call",
                }
            ],
        ),
        reading=Reading(
            model="gpt-4-0613",
            text="f{}",
            reply_chars=0,
            preview="f{}",
            finish_reason="function_call",
            tool_calls=1,
        ),
    ),
    "OpenAI: an error as a whole reply": Recorded(
        path=CHAT,
        stream=False,
        body=whole(error={"message": "bad", "type": "invalid_request_error", "param": "n"}),
        reading=Reading(text="", error=True),
    ),
}
