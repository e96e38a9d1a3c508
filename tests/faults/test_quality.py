"""Signals and forms, end to end: from an upstream's words to log and metrics, by variant."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.scripted_upstream import (
    FIN,
    ScriptedUpstream,
    chat_events,
    json_reply,
    scripted_upstream,
    stream_reply,
)
from tests.support.served import served

CONFIG = """\
upstreams: {{u: {{base_url: 'http://127.0.0.1:{port}/v1', retries: 0}}}}
routes:
  support:
    variants: {{base: {{upstream: u}}, ft: {{upstream: u}}}}
    split: {{base: 1}}
    shadow: {{variant: ft, percent: 100}}
  labels: {{variants: {{base: {{upstream: u}}}}, format: {{regex: 'yes|no'}}}}
  silent: {{variants: {{base: {{upstream: u}}}}, quality: off}}
"""
NO = "I'm sorry, but I can't help with that."
LOOP = "We are happy to help you. " * 40
ASKED: dict[str, Any] = {"response_format": {"type": "json_object"}}
ALL = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"required": ["name"]}}}


def answer(text: str, finish: str = "stop", **more: Any) -> list[Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **more}}
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    reply = {"object": "chat.completion", "choices": [{**choice, "finish_reason": finish}]}
    return json_reply({**reply, "usage": usage})


CALL = [{"id": "1", "type": "function", "function": {"name": "find", "arguments": "{}"}}]
CASES: list[tuple[list[Any], dict[str, Any], list[str], str | None]] = [
    (answer(NO), {}, ["refusal"], None),
    (answer("Nej."), {}, ["short"], None),
    (answer(LOOP, "length"), {}, ["length", "repetition"], None),
    (answer("ja", "length"), {"max_tokens": 1}, [], None),
    (answer("", "tool_calls", tool_calls=CALL), {}, [], None),
    (answer("{}"), ASKED, [], "kept"),
    (answer("Here it is: {}"), ASKED, ["format"], "broken"),
    (answer("{}"), {"response_format": ALL}, ["short", "format"], "broken"),
    (answer("yes"), {"model": "labels"}, [], "kept"),
    (answer("Yes, I think so."), {"model": "labels", **ASKED}, ["format"], "broken"),
    (answer(NO), {"model": "silent", **ASKED}, [], None),
    (stream_reply(*chat_events(NO)), {"stream": True}, ["refusal"], None),
]


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        yield server


async def test_what_is_wrong_with_replies_is_told_by_variant(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    async with served(tmp_path, CONFIG.format(port=upstream.port)) as turnout:
        url = f"http://127.0.0.1:{turnout.port}/v1/chat/completions"
        body = {"model": "support", "messages": [{"role": "user", "content": "Hi"}]}
        told = 0
        async with httpx2.AsyncClient(trust_env=False) as client:
            for reply, asked, signals, check in CASES:
                upstream.by_default = reply
                await client.post(url, json={**body, **asked})
                fresh = (await turnout.exchanges(told + 1 + ("model" not in asked)))[told:]
                told += len(fresh)
                found = [(line["signals"], line["format_check"]) for line in fresh]
                assert found == [(signals, check)] * len(fresh), asked
            upstream.by_default = [*stream_reply(*chat_events("Your parcel left"))[:3], FIN]
            with pytest.raises(httpx2.RemoteProtocolError):
                await client.post(url, json={**body, "model": "labels", "stream": True})
            cut = (await turnout.exchanges(told + 1))[-1]
        metrics = await turnout.metrics()
    assert (cut["signals"], cut["format_check"]) == (["truncated"], None)
    refusals = {"route": "support", "signal": "refusal"}
    assert metrics.total("turnout_quality_signals_total", variant="base", **refusals) == 2
    assert metrics.total("turnout_shadow_quality_signals_total", variant="ft", **refusals) == 2
    assert metrics.by("turnout_format_checks_total", "route", "result") == {
        ("support", "kept"): 1,
        ("support", "broken"): 2,
        ("labels", "kept"): 1,
        ("labels", "broken"): 1,
    }
