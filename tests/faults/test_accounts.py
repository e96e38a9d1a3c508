"""Every exchange is told once, whatever its end: what was sent is what log and metrics say."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.patience import eventually
from tests.support.raw_traffic import chat, hasty, pipeline, request
from tests.support.scripted_upstream import (
    HANG,
    RESET,
    ScriptedUpstream,
    SeenRequest,
    Step,
    chat_events,
    cut,
    error_reply,
    head,
    json_reply,
    scripted_upstream,
    stream_reply,
)
from tests.support.served import Served, served

CONFIG = """\
workers: 2
upstreams:
  u: {{base_url: 'http://127.0.0.1:{port}/v1', retries: 0, eject_after: 0,
       timeouts: {{first_byte: 1, between_bytes: 1}}}}
routes:
  support: {{variants: {{base: {{upstream: u, model: m}}}}}}
"""
TEXT = "It left the depot this morning."
CHOICE = {"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}
USAGE = {"prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10}
ANSWER = json_reply({"object": "chat.completion", "choices": [CHOICE], "usage": USAGE})
STREAM = stream_reply(*chat_events("It", " left", " the", " depot."))
SCRIPTS: dict[str, Sequence[Step]] = {
    "plain": ANSWER,
    "stream": STREAM,
    "500": error_reply(500),
    "400": error_reply(400),
    "429": error_reply(429),
    "garbage": [b"SMTP ready\r\n\r\n"],
    "reset": [RESET],
    "cut": cut(STREAM, 400, RESET),
    "hang": [HANG],
    "hang in mid-stream": [*STREAM[:2], HANG],
    "hang in mid-reply": [head(headers=[("Content-Length", "90")]) + b"{", HANG],
}

# What is sent -> how many of it, and what the record must call it.
Ending = tuple[str, str | None]
FINE: Ending = ("completed", None)
GONE: Ending = ("client_gone", None)


def ask(script: str, **members: Any) -> bytes:
    return chat(prompt=script, **members)


ANSWERED: dict[bytes, tuple[int, Ending]] = {
    ask("plain"): (500, FINE),
    ask("stream", stream=True): (300, FINE),
    request("/v1/models", method="GET"): (100, FINE),
    chat("nobody's"): (200, ("rejected", "caller_unknown_model")),
    request("/v1/chat/completions", b"{nonsense"): (100, ("rejected", "caller_bad_json")),
    request("/v1/other", b""): (100, ("rejected", "caller_not_found")),
    ask("400"): (100, ("rejected", "caller_rejected_upstream")),
    ask("500"): (100, ("upstream_error", "provider_status")),
    ask("429"): (100, ("upstream_error", "provider_rate_limited")),
}
CLOSING: dict[bytes, tuple[int, Ending]] = {  # no other request follows on the connection
    b"GET / HTTP/1.1\r\n\r\n": (60, ("rejected", "caller_bad_http")),
    b"BREW /v1/tea HTTP/1.1\r\nHost: t\r\n\r\n": (60, ("rejected", "caller_method_not_allowed")),
    ask("garbage"): (60, ("upstream_error", "provider_bad_reply")),
    ask("reset"): (60, ("upstream_cut", "provider_cut")),
    ask("cut", stream=True): (30, ("upstream_cut", "provider_cut")),
    ask("hang"): (10, ("upstream_timeout", "provider_first_byte_timeout")),
    ask("hang in mid-stream", stream=True): (10, ("upstream_timeout", "provider_idle_timeout")),
}
LEAVING: dict[tuple[bytes, bytes], tuple[int, Ending]] = {  # read so far, then gone
    (ask("hang in mid-stream", stream=True), b"data: "): (40, GONE),
    (ask("hang in mid-reply"), b"{"): (40, GONE),
}
EARLY = 30  # those that leave before the reply begins


def script(request: SeenRequest) -> Sequence[Step]:
    """Play what the prompt names."""
    return SCRIPTS[request.json()["messages"][0]["content"]]


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        server.by_default = script
        yield server


async def leave_early(turnout: Served, upstream: ScriptedUpstream) -> None:
    """Leave when the upstream has the request and says nothing."""
    async with asyncio.timeout(10):
        _, writer = await asyncio.open_connection("127.0.0.1", turnout.port)
        writer.write(ask("hang"))
        seen = await upstream.request()
        writer.transport.abort()
        await seen.connection.closed.wait()


async def test_two_thousand_exchanges_of_all_endings_are_each_told_once_and_rightly(
    tmp_path: Path, upstream: ScriptedUpstream
) -> None:
    async with served(tmp_path, CONFIG.format(port=upstream.port)) as turnout:
        for _ in range(EARLY):
            await leave_early(turnout, upstream)
        expected = await send_all(turnout)
        expected[GONE] += EARLY
        assert expected.total() == 2000
        accounts = await turnout.accounted(taken=expected.total())
        lines = await turnout.exchanges(expected.total())
        metrics = await turnout.metrics()
    assert Counter((line["outcome"], line["error_code"]) for line in lines) == expected
    assert len({line["request_id"] for line in lines}) == len(lines) == expected.total()
    counted = metrics.by("turnout_requests_total", "outcome", "error_code")
    assert counted == {(outcome, code or ""): n for (outcome, code), n in expected.items()}
    assert accounts == {
        "begun": expected.total(),
        "taken": expected.total(),
        "dropped": 0,
        "lost": 0,
        "in_flight": 0,
    }
    assert metrics.total("turnout_in_flight") == 0
    assert metrics.total("turnout_upstream_connections_open", upstream="u") == metrics.total(
        "turnout_upstream_connections_idle", upstream="u"
    )


async def send_all(turnout: Served) -> Counter[Ending]:
    """Send the whole mix, on connections that both workers share; return what must be told."""
    kinds = [*ANSWERED.items(), *CLOSING.items(), *LEAVING.items()]
    expected: Counter[Ending] = Counter()
    for _, (count, ending) in kinds:
        expected[ending] += count
    doors = asyncio.Semaphore(40)

    async def kept(what: bytes, count: int) -> None:
        async with doors:
            assert len(await pipeline(turnout.port, [what] * count)) == count

    async def left(what: bytes, at: bytes) -> None:
        async with doors:
            await hasty(turnout.port, what, at)

    async with asyncio.TaskGroup() as tasks:
        for what, (count, _) in ANSWERED.items():
            for _ in range(10):
                tasks.create_task(kept(what, count // 10))
        for what, (count, _) in CLOSING.items():
            for _ in range(count):
                tasks.create_task(kept(what, 1))
        for (what, at), (count, _) in LEAVING.items():
            for _ in range(count):
                tasks.create_task(left(what, at))
    return expected


async def test_with_a_worker_killed_in_the_middle_sent_is_logged_and_lost_and_dropped(
    tmp_path: Path, upstream: ScriptedUpstream
) -> None:
    sent = answered = 0
    stop = asyncio.Event()

    async def client() -> None:
        nonlocal sent, answered
        while not stop.is_set():
            sent += 10
            try:
                statuses = await pipeline(turnout.port, [ask("plain"), ask("500")] * 5)
            except OSError:
                continue
            answered += len(statuses)

    async def how_many() -> int:
        return answered

    async with served(tmp_path, CONFIG.format(port=upstream.port)) as turnout:
        async with asyncio.TaskGroup() as clients:
            for _ in range(8):
                clients.create_task(client())
            await eventually(how_many, lambda count: count > 300)
            os.kill(turnout.children("worker")[0], signal.SIGKILL)
            await eventually(turnout.status, lambda seen: seen["restarts"]["worker"] == 1)
            before = answered
            await eventually(how_many, lambda count: count > before + 300)
            stop.set()
        accounts = await turnout.accounted()
        lines = await turnout.exchanges(accounts["taken"])
        metrics = await turnout.metrics()
    assert answered <= accounts["begun"] <= sent
    assert accounts["begun"] == accounts["taken"] + accounts["lost"] + accounts["dropped"]
    assert accounts["lost"] > 0, "or nothing was under way when it was killed"
    assert len({line["request_id"] for line in lines}) == len(lines) == accounts["taken"]
    assert metrics.total("turnout_requests_total") == accounts["taken"]
    assert metrics.total("turnout_observations_lost_total") == accounts["lost"]
    assert metrics.total("turnout_worker_restarts_total", process="worker") == 1
