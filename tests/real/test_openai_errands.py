"""An unmodified openai client on errands beyond the tiny real model: tools, files, faults."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest
from openai.types.chat import (
    ChatCompletionChunk,
    ChatCompletionMessageParam,
    ChatCompletionToolUnionParam,
)

from proxy.exchange import Outcome
from proxy.routing.table import Route
from tests.support.data_plane import Turnout, serving, settings_of, upstream, variant
from tests.support.scripted_upstream import (
    FIN,
    ScriptedUpstream,
    chat_events,
    cut,
    error_reply,
    event,
    json_reply,
    scripted_upstream,
    stream_reply,
)

ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Is the 9:15 late?"}]
TOOLS: list[ChatCompletionToolUnionParam] = [
    {
        "type": "function",
        "function": {
            "name": "delay_of",
            "parameters": {"type": "object", "properties": {"train": {"type": "string"}}},
            "strict": True,
        },
    }
]
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "delay_of", "arguments": '{"train":"9:15"}'},
}
USAGE = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}


@asynccontextmanager
async def at_work() -> AsyncIterator[tuple[openai.AsyncOpenAI, Turnout, ScriptedUpstream]]:
    """A client, turnout's data plane and a scripted upstream, all in this test's own loop."""
    async with scripted_upstream() as server:
        route = Route(name="support", variants=(variant("ft", "sim", "ft-1"),), weights=(1.0,))
        settings = settings_of(
            route, upstreams=[upstream("sim", server.port)], default_upstream="sim"
        )
        async with serving(settings) as turnout:
            url = f"http://127.0.0.1:{turnout.port}/v1"
            async with openai.AsyncOpenAI(base_url=url, api_key="k", max_retries=0) as client:
                yield client, turnout, server


def chunk_of(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return event({"id": "c", "object": "chat.completion.chunk", "choices": [choice]})


async def read(stream: openai.AsyncStream[ChatCompletionChunk], into: list[str | None]) -> None:
    async for piece in stream:
        into.append(piece.choices[0].delta.content)  # noqa: PERF401  # kept if the stream breaks


async def test_a_tool_call_comes_whole_and_is_no_short_reply() -> None:
    message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    async with at_work() as (client, turnout, server):
        server.will(json_reply({"id": "c", "choices": [choice], "usage": USAGE}))
        reply = await client.chat.completions.create(model="support", messages=ASK, tools=TOOLS)
        seen = await server.request()
        observed = await turnout.observed()
    assert reply.choices[0].message.tool_calls is not None
    assert reply.choices[0].message.tool_calls[0].to_dict() == CALL
    assert seen.json() == {"messages": ASK, "model": "ft-1", "tools": TOOLS}
    assert (observed.tool_calls, observed.finish_reason) == (1, "tool_calls")


async def test_a_streamed_tool_call_is_put_together_by_the_client() -> None:
    function = CALL["function"]
    assert isinstance(function, dict)
    pieces = [
        chunk_of({"role": "assistant", "tool_calls": [{"index": 0, **CALL}]}),
        chunk_of({}, "tool_calls"),
        b"data: [DONE]\n\n",
    ]
    async with at_work() as (client, turnout, server):
        server.will(stream_reply(*pieces))
        async with client.chat.completions.stream(
            model="support", messages=ASK, tools=TOOLS
        ) as stream:
            reply = await stream.get_final_completion()
        observed = await turnout.observed()
    calls = reply.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].function.arguments == function["arguments"]
    assert observed.tool_calls == 1
    assert observed.outcome is Outcome.COMPLETED


async def test_a_file_is_uploaded_as_the_client_sent_it() -> None:
    content = bytes(range(256)) * 300
    stored = {
        "id": "file-1",
        "object": "file",
        "bytes": len(content),
        "created_at": 0,
        "filename": "train.jsonl",
        "purpose": "fine-tune",
        "status": "processed",
    }
    async with at_work() as (client, turnout, server):
        server.will(json_reply(stored))
        reply = await client.files.create(file=("train.jsonl", content), purpose="fine-tune")
        seen = await server.request()
        observed = await turnout.observed()
    assert reply.bytes == len(content)
    assert (seen.method, seen.target) == ("POST", "/v1/files")
    assert (seen.header("content-type") or "").startswith("multipart/form-data; boundary=")
    assert content in seen.body
    assert (observed.route, observed.endpoint) == (None, "other")


async def test_a_rate_limit_upstream_is_one_to_the_client_with_its_delay() -> None:
    async with at_work() as (client, turnout, server):
        server.will(error_reply(429, retry_after="7"))
        with pytest.raises(openai.RateLimitError) as caught:
            await client.chat.completions.create(model="support", messages=ASK)
        observed = await turnout.observed()
    assert caught.value.response.headers["retry-after"] == "7"
    assert observed.outcome is Outcome.UPSTREAM_ERROR


async def test_a_stream_that_breaks_raises_in_the_client_and_is_never_taken_for_whole() -> None:
    whole = stream_reply(*chat_events("It", " is", " four", " minutes", " late."))
    words: list[str | None] = []
    async with at_work() as (client, turnout, server):
        server.will(cut(whole, 700, FIN))
        stream = await client.chat.completions.create(model="support", messages=ASK, stream=True)
        with pytest.raises(openai.APIError):
            await read(stream, words)
        observed = await turnout.observed()
    assert words
    assert observed.outcome is Outcome.UPSTREAM_CUT


async def test_an_unknown_route_is_not_found_in_words_that_help() -> None:
    async with at_work() as (client, turnout, _):
        with pytest.raises(openai.NotFoundError) as caught:
            await client.chat.completions.create(model="suport", messages=ASK)
        observed = await turnout.observed()
    assert caught.value.code == "caller_unknown_model"
    assert observed.outcome is Outcome.REJECTED
