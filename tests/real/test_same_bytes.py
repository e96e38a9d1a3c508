"""What a real server says reaches the client as it was said, whichever door it came through."""

import json
import re
from typing import Any

import httpx2
import pytest

from tests.support.model_server import MODEL, ModelServer
from tests.support.programs import RunningTurnout

# What the server makes up anew for each reply, or measures. llama.cpp tells its timings in the
# last event: which is the one with the usage, if that was asked for, as turnout does.
NEW_EACH_TIME = re.compile(
    r',"timings":\{[^}]*\}|"(?:id|item_id|created|created_at|completed_at)":(?:"[^"]*"|\d+)'
    r'|"cache(?:d_tokens|_read_input_tokens)":\d+|"input_tokens":\d+'
)
CHAT: dict[str, Any] = {
    "model": MODEL,
    "messages": [{"role": "user", "content": "Which train goes to the city?"}],
    "temperature": 0,
    "seed": 1,
    "max_tokens": 12,
}
STREAM = {"stream": True}
WITH_USAGE = {"stream": True, "stream_options": {"include_usage": True}}
PROMPT = {"model": MODEL, "prompt": "the train", "temperature": 0, "max_tokens": 8}
INPUT = {"model": MODEL, "input": "Which train?", "temperature": 0, "max_output_tokens": 8}


def ask(url: str, path: str, body: dict[str, Any]) -> httpx2.Response:
    return httpx2.post(f"{url}/v1/{path}", json=body)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("chat/completions", CHAT),
        ("chat/completions", CHAT | STREAM),
        ("chat/completions", CHAT | WITH_USAGE),
        ("chat/completions", CHAT | {"n": 2}),
        ("completions", PROMPT),
        ("completions", PROMPT | STREAM),
        ("embeddings", {"model": MODEL, "input": ["the train", "a signal"]}),
        ("responses", INPUT),
        ("responses", INPUT | STREAM),
        ("messages", CHAT),
        ("messages", CHAT | STREAM),
        ("tokenize", {"content": "a path that turnout does not read"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(sorted(value)),
)
def test_a_reply_is_the_same_at_both_doors(
    llama: ModelServer, turnout: RunningTurnout, path: str, body: dict[str, Any]
) -> None:
    direct, carried = ask(llama.url, path, body), ask(turnout.url, path, body)
    assert carried.status_code == direct.status_code
    assert carried.headers.get("content-type") == direct.headers.get("content-type")
    assert NEW_EACH_TIME.sub("", carried.text) == NEW_EACH_TIME.sub("", direct.text)


def test_what_is_logged_is_what_the_client_was_told(turnout: RunningTurnout) -> None:
    reply = ask(turnout.url, "chat/completions", CHAT)
    request_id = reply.headers["x-turnout-request-id"]
    assert reply.headers["x-turnout-route"] == MODEL
    assert reply.headers["x-turnout-variant"] == "only"
    logged = turnout.exchange(request_id)
    usage = reply.json()["usage"]
    assert logged["prompt_tokens"] == usage["prompt_tokens"]
    assert logged["response_tokens"] == usage["completion_tokens"]
    assert logged["tokens_source"] == "upstream"
    assert logged["outcome"] == "completed"
    assert logged["response_preview"] == reply.json()["choices"][0]["message"]["content"][:100]


def test_usage_is_known_of_a_stream_whose_client_did_not_ask(turnout: RunningTurnout) -> None:
    reply = ask(turnout.url, "chat/completions", CHAT | STREAM)
    events = [
        json.loads(line[6:]) for line in reply.text.splitlines() if line.startswith("data: {")
    ]
    assert all("usage" not in event or event["usage"] is None for event in events)
    logged = turnout.exchange(reply.headers["x-turnout-request-id"])
    assert logged["response_tokens"] == 12
    assert logged["tokens_source"] == "upstream"
    assert logged["ttft_ms"] is not None
