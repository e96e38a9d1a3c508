"""An unmodified openai client and a real llama.cpp server: directly, and through turnout."""

import json
from collections.abc import Iterator
from typing import Literal

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletionUserMessageParam
from pydantic import BaseModel

from tests.support.model_server import MODEL

ASK: ChatCompletionUserMessageParam = {"role": "user", "content": "Which train goes to the city?"}


class Train(BaseModel):
    late: bool
    track: Literal["one", "two"]


@pytest.fixture
def client(door: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{door}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_a_chat_reply_has_words_a_finish_and_usage(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(
        model=MODEL, messages=[ASK], temperature=0, max_tokens=12
    )
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 12
    assert reply.usage.prompt_tokens > 12
    assert reply.choices[0].finish_reason == "length"
    assert len((reply.choices[0].message.content or "").split()) >= 6


def test_a_chat_stream_says_what_the_plain_reply_says(client: openai.OpenAI) -> None:
    plain = client.chat.completions.create(
        model=MODEL, messages=[ASK], temperature=0, max_tokens=12
    )
    with client.chat.completions.create(
        model=MODEL,
        messages=[ASK],
        temperature=0,
        max_tokens=12,
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        chunks = list(stream)
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text == plain.choices[0].message.content
    assert len(chunks) > 12
    last = chunks[-1].usage
    assert last is not None
    assert last.completion_tokens == 12


def test_a_stream_whose_client_did_not_ask_for_usage_has_none(client: openai.OpenAI) -> None:
    with client.chat.completions.create(
        model=MODEL, messages=[ASK], temperature=0, max_tokens=4, stream=True
    ) as stream:
        chunks = list(stream)
    assert [chunk.usage for chunk in chunks] == [None] * len(chunks)
    assert all(chunk.choices for chunk in chunks)


async def test_the_asynchronous_client_is_served_alike(door: str) -> None:
    async with openai.AsyncOpenAI(base_url=f"{door}/v1", api_key="none") as client:
        plain = await client.chat.completions.create(
            model=MODEL, messages=[ASK], temperature=0, max_tokens=8
        )
        stream = await client.chat.completions.create(
            model=MODEL, messages=[ASK], temperature=0, max_tokens=8, stream=True
        )
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert text == plain.choices[0].message.content


def test_a_reply_keeps_to_the_schema_asked_for(client: openai.OpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {"late": {"type": "boolean"}, "track": {"enum": ["one", "two"]}},
        "required": ["late", "track"],
        "additionalProperties": False,
    }
    reply = client.chat.completions.create(
        model=MODEL,
        messages=[ASK],
        temperature=0,
        max_tokens=100,
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "train", "schema": schema, "strict": True},
        },
    )
    answer = json.loads(reply.choices[0].message.content or "")
    assert set(answer) == {"late", "track"}


def test_a_reply_can_be_parsed_into_the_callers_own_class(client: openai.OpenAI) -> None:
    reply = client.chat.completions.parse(
        model=MODEL, messages=[ASK], temperature=0, max_tokens=100, response_format=Train
    )
    assert isinstance(reply.choices[0].message.parsed, Train)


def test_a_completion_continues_its_prompt(client: openai.OpenAI) -> None:
    reply = client.completions.create(model=MODEL, prompt="the train", temperature=0, max_tokens=6)
    assert reply.choices[0].text
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 6


def test_embeddings_are_vectors_of_the_models_width(client: openai.OpenAI) -> None:
    reply = client.embeddings.create(
        model=MODEL, input=["the train", "a signal"], encoding_format="float"
    )
    assert [len(item.embedding) for item in reply.data] == [64, 64]
    assert reply.data[0].embedding != reply.data[1].embedding


def test_a_response_says_that_it_is_complete(client: openai.OpenAI) -> None:
    reply = client.responses.create(
        model=MODEL, input="Which train?", temperature=0, max_output_tokens=6
    )
    assert reply.status == "completed"
    assert reply.output_text


def test_a_response_stream_ends_with_its_completion(client: openai.OpenAI) -> None:
    with client.responses.create(
        model=MODEL, input="Which train?", temperature=0, max_output_tokens=6, stream=True
    ) as stream:
        kinds = [event.type for event in stream]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert "response.output_text.delta" in kinds


def test_the_model_is_listed(client: openai.OpenAI) -> None:
    assert MODEL in [model.id for model in client.models.list()]


def test_messages_in_anthropics_form_are_answered_in_it(door: str) -> None:
    body = {"model": MODEL, "messages": [ASK], "max_tokens": 5, "temperature": 0}
    reply = httpx2.post(f"{door}/v1/messages", json=body).json()
    assert reply["type"] == "message"
    assert reply["usage"]["output_tokens"] == 5


def test_the_servers_own_refusal_reaches_the_client(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model=MODEL,
            messages=[ASK],
            response_format={"type": "nonsense"},  # type: ignore[call-overload]
        )
    assert caught.value.status_code == 400
