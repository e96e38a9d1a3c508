"""When a client goes away its upstream is let go at once, whichever moment it chose."""

import asyncio
import json
import statistics
from collections.abc import AsyncIterator
from types import CoroutineType

import pytest

from proxy.config.settings import DataPlane
from proxy.exchange import Outcome
from proxy.routing import Route
from tests.support.data_plane import Turnout, serving, settings_of, upstream, variant
from tests.support.scripted_upstream import (
    HANG,
    ScriptedUpstream,
    Steps,
    chat_events,
    chunk,
    head,
    scripted_upstream,
)

SSE = [("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked")]
EVENTS = chat_events("Hello", " you")
BODY = b'{"choices": []}'

WINDOWS: dict[str, Steps] = {
    "before the headers": [HANG],
    "before the first token": [head(headers=SSE), chunk(EVENTS[0]), HANG],
    "in mid-stream": [head(headers=SSE), chunk(EVENTS[0]), chunk(EVENTS[1]), HANG],
    "during a plain reply": [head(headers=[("Content-Length", "90")]) + BODY, HANG],
}
LIMIT = 0.1  # seconds: the promise, for 99 of 100


@pytest.fixture
async def model() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        yield server


def settings(model: ScriptedUpstream) -> DataPlane:
    route = Route(name="support", variants=(variant("base", "one"),), weights=(1.0,))
    return settings_of(route, upstreams=[upstream("one", model.port)])


def request(*, stream: bool) -> bytes:
    body = json.dumps({"model": "support", "stream": stream, "messages": []}).encode()
    lines = b"POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n"
    return lines % len(body) + body


async def leave(turnout: Turnout, model: ScriptedUpstream, *, window: str, how: str) -> float:
    """Go away in a window; return the seconds until the upstream connection was closed."""
    model.by_default = WINDOWS[window]
    reader, writer = await turnout.connect()
    writer.write(request(stream=window != "during a plain reply"))
    seen = await model.request()
    if window != "before the headers":
        await reader.readuntil(b"\r\n\r\n")
    began = asyncio.get_running_loop().time()
    if how == "half-close":
        writer.write_eof()
    elif how == "reset":
        writer.transport.abort()
    else:
        writer.close()
    async with asyncio.timeout(5):
        await seen.connection.closed.wait()
    taken = asyncio.get_running_loop().time() - began
    writer.close()
    return taken


@pytest.mark.parametrize("how", ["close", "reset", "half-close"])
@pytest.mark.parametrize("window", WINDOWS)
async def test_a_client_that_leaves_takes_its_upstream_connection_with_it(
    model: ScriptedUpstream, window: str, how: str
) -> None:
    async with serving(settings(model)) as turnout:
        await leave(turnout, model, window=window, how=how)
        seen = await turnout.observed()
        assert seen.outcome is Outcome.CLIENT_GONE
        assert seen.error_code is None
        assert turnout.edge.in_flight == 0


@pytest.mark.alone
async def test_the_upstream_is_closed_within_100_ms_for_99_of_100(
    model: ScriptedUpstream,
) -> None:
    async with serving(settings(model)) as turnout:
        taken = []
        for _ in range(50):
            for window in WINDOWS:
                taken.append(await leave(turnout, model, window=window, how="close"))
                await turnout.observed()
    assert statistics.quantiles(taken, n=100)[98] <= LIMIT


async def test_what_was_said_before_the_client_left_is_on_the_record(
    model: ScriptedUpstream,
) -> None:
    async with serving(settings(model)) as turnout:
        await leave(turnout, model, window="in mid-stream", how="close")
        seen = await turnout.observed()
    assert seen.status == 200
    assert seen.texts is not None
    assert seen.ttft_ms is not None


async def test_ten_thousand_cancelled_requests_leave_nothing_behind(
    model: ScriptedUpstream,
) -> None:
    model.by_default = [HANG]
    async with serving(settings(model)) as turnout:
        for _ in range(100):
            clients = [await turnout.connect() for _ in range(100)]
            for _, writer in clients:
                writer.write(request(stream=True))
            for _ in clients:
                await model.request()
            for _, writer in clients:
                writer.transport.abort()
            for _ in clients:
                assert (await turnout.observed()).outcome is Outcome.CLIENT_GONE
            await model.all_closed()
            model.connections.clear()
            model.requests.clear()
        assert turnout.edge.in_flight == 0
        assert turnout.service.plane.upstreams["one"].report().open == 0
        assert tasks_of("proxy/") == []


def tasks_of(folder: str) -> list[str]:
    """Return the names of the tasks that run code of `folder`, the test's own left aside."""
    running = [task.get_coro() for task in asyncio.all_tasks()]
    files = [coro.cr_code.co_filename for coro in running if isinstance(coro, CoroutineType)]
    return [name for name in files if folder in name]
