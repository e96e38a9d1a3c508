"""Alerts, end to end: log line, counter and webhook, whatever the webhook's receiver does."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.patience import eventually
from tests.support.raw_traffic import ask, chat, p99
from tests.support.scripted_upstream import (
    HANG,
    RESET,
    ScriptedUpstream,
    error_reply,
    json_reply,
    plain_reply,
    scripted_upstream,
)
from tests.support.served import Served, served

CONFIG = """\
upstreams:
  u: {{base_url: 'http://127.0.0.1:{port}/v1', retries: 0}}
routes:
  support: {{variants: {{base: {{upstream: u, model: m}}}}}}
  quick:
    variants: {{base: {{upstream: u, model: m}}}}
    alerts: {{slow: {{latency_ms: 0.001}}, short: off}}
  later: {{variants: {{base: {{upstream: u, model: m}}}}}}
alerts: {{notify: {{fold_seconds: {fold}, webhook: {{url: 'http://127.0.0.1:{hook}/hook'}}}}}}
"""
SLOW_SECONDS = 5.1  # more than the 5000 ms of the default
PATIENCE = 20.0
FLOOR = 0.05  # seconds that a busy machine may add to any figure


def answer(text: str) -> list[Any]:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    return json_reply({"object": "chat.completion", "choices": [choice], "usage": usage})


SHORT, LONG = answer("Too short"), answer("Just right")  # 9 characters, and 10


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        server.by_default = SHORT
        yield server


@pytest.fixture
async def hook() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        server.by_default = plain_reply(b"", 204)
        yield server


async def posted(hook: ScriptedUpstream) -> Any:
    """Return the next post's body."""
    request = await hook.request()
    assert (request.method, request.target) == ("POST", "/hook")
    assert request.header("content-type") == "application/json"
    return request.json()


async def notified(turnout: Served, result: str, count: int) -> None:
    """Wait until so many posts had a result."""

    async def posts() -> float:
        return (await turnout.metrics()).total("turnout_notifications_total", result=result)

    await eventually(posts, lambda seen: seen == count)


async def test_slow_and_short_replies_are_logged_counted_and_posted_with_the_same_facts(
    tmp_path: Path, upstream: ScriptedUpstream, hook: ScriptedUpstream
) -> None:
    config = CONFIG.format(port=upstream.port, hook=hook.port, fold=60)
    waited = asyncio.Event()
    upstream.will(LONG, [waited, *SHORT])  # the second is both
    async with served(tmp_path, config) as turnout:
        await ask(turnout.port)
        asyncio.get_running_loop().call_later(SLOW_SECONDS, waited.set)
        await ask(turnout.port)
        posts = {post["alert"]: post for post in [await posted(hook), await posted(hook)]}
        lines = {line["alert"]: line for line in await turnout.alerts(2)}
        metrics = await turnout.metrics()
        fine, exchange = await turnout.exchanges(2)
    assert fine["reply_chars"] == 10, "the shortest that is not short"
    assert lines.keys() == posts.keys() == {"slow", "short"}
    for alert, post in posts.items():
        line = lines[alert]
        told = {name: line[name] for name in post["exchange"]}
        assert told == post["exchange"] == {name: exchange[name] for name in told}
        assert told["request_id"] == exchange["request_id"]
        said = ("alert", "value", "threshold")
        assert [post[name] for name in said] == [line[name] for name in said]
        assert (post["schema_version"], post["count"], line["level"]) == (1, 1, "warning")
        assert (post["route"], post["variant"]) == ("support", "base")
        assert post["first_at"] == post["last_at"]
        datetime.fromisoformat(post["first_at"])
    assert 5000 < posts["slow"]["value"] < 5000 + 1000 * PATIENCE
    assert (posts["slow"]["threshold"], posts["short"]["threshold"]) == (5000, 10)
    assert posts["short"]["value"] == 9
    assert metrics.by("turnout_alerts_total", "alert", "route", "variant") == {
        ("slow", "support", "base"): 1,
        ("short", "support", "base"): 1,
    }
    assert metrics.total("turnout_notifications_total", result="sent") == 2


async def test_repeats_are_folded_into_one_post_with_their_count(
    tmp_path: Path, upstream: ScriptedUpstream, hook: ScriptedUpstream
) -> None:
    config = CONFIG.format(port=upstream.port, hook=hook.port, fold=2)
    async with served(tmp_path, config) as turnout:
        for _ in range(5):
            await ask(turnout.port)
        for _ in range(3):
            await ask(turnout.port, chat("quick"))
        lines = await turnout.alerts(8)
        posts = [await posted(hook)]
        while sum(post["count"] for post in posts) < 8:
            posts.append(await posted(hook))
        for _ in range(4):  # a new window opens with the folded post; these wait in it
            await ask(turnout.port)
        await turnout.alerts(12)
        assert await turnout.end() == 0
        posts += [(await posted(hook)) for _ in range(len(hook.requests) - len(posts))]
    shorts = [post for post in posts if post["alert"] == "short"]
    slows = [post for post in posts if post["alert"] == "slow"]
    assert shorts[0]["count"] == slows[0]["count"] == 1, "the first is told at once"
    assert sum(post["count"] for post in shorts) == 5 + 4, "no repeat is lost, at the end neither"
    assert sum(post["count"] for post in slows) == 3
    assert {post["route"] for post in slows} == {"quick"}, "a route's own figures are its own"
    assert {post["threshold"] for post in slows} == {0.001}
    assert len(posts) < 12, "or nothing was folded"
    assert len({post["id"] for post in posts}) == len(posts)
    (folded,) = shorts[1:2]
    assert f"{folded['count']} times" in folded["text"] or folded["count"] == 1
    assert folded["exchange"]["request_id"] in {line["request_id"] for line in lines}


async def test_what_a_receiver_does_is_seen_in_the_counter_and_by_no_client(
    tmp_path: Path, upstream: ScriptedUpstream, hook: ScriptedUpstream
) -> None:
    hook.will(error_reply(500), [RESET], plain_reply(b"", 204))  # tried again until it is taken
    hook.will(error_reply(404), [HANG])  # final; and never answered
    config = CONFIG.format(port=upstream.port, hook=hook.port, fold=60)
    async with served(tmp_path, config) as turnout:
        for _ in range(20):
            assert (await ask(turnout.port))[0].startswith(b"HTTP/1.1 200 ")
        await notified(turnout, "sent", 1)
        await ask(turnout.port, chat("quick"))
        await notified(turnout, "failed", 1)
        said = turnout.lines("notification refused")
        usual = await p99(turnout.port)
        await ask(turnout.port, chat("later"))
        posts = [await posted(hook) for _ in range(5)]
        beside = await p99(turnout.port)
        await turnout.alerts(20 + 1 + 1 + 2 * 200)
        began = asyncio.get_running_loop().time()
        assert await turnout.end() == 0
        ended = asyncio.get_running_loop().time() - began
    assert len({post["id"] for post in posts[:3]}) == 1, "each attempt of one post has its id"
    assert [post["route"] for post in posts] == ["support"] * 3 + ["quick", "later"]
    assert [post["count"] for post in posts] == [1] * 5
    assert [line["reason"] for line in said] == ["status 404"]
    assert beside <= max(2 * usual, usual + FLOOR)
    assert ended <= 5 + 3, "the time that alerts get at the end, and some"
