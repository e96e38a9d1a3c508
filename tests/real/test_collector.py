"""Traces with a real collector, and the openai client: away at first, it gets every span.

The collector decodes what turnout sent, and what it hands on is what is looked at.
"""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionUserMessageParam
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.support.collector import collector, program
from tests.support.patience import eventually
from tests.support.programs import free_port
from tests.support.raw_traffic import pipeline, request
from tests.support.receiver import Receiver, receiver
from tests.support.scripted_upstream import (
    ScriptedUpstream,
    SeenRequest,
    Steps,
    chat_events,
    error_reply,
    scripted_upstream,
    stream_reply,
)
from tests.support.served import Line, Served, served
from tests.support.shadowed import reply
from tests.support.spans import PARENT, TRACE, facts, spans_in

pytestmark = pytest.mark.skipif(program() is None, reason="rotel is missing: no real collector")

MORE = 507  # with those of `drive` a batch
MOST = 5 + MORE
DRIVEN = 4 + 3  # exchanges of one `drive`, and their shadows
SPANS = MOST + 3  # of the second `drive`, where no trace that begins here is sampled
NOWHERE = request("/v1/nowhere", method="GET")
FAILS = "chat m-broken"
ASK: ChatCompletionUserMessageParam = {"role": "user", "content": "Where is my parcel?"}
CONFIG = """\
upstreams:
  one: {{base_url: 'http://127.0.0.1:{port}/v1'}}
  two: {{base_url: 'http://127.0.0.1:{port}/v1', retries: 1, eject_after: 0}}
routes:
  support:
    variants: {{base: {{upstream: one, model: m-base}}, ft: {{upstream: one, model: m-ft}}}}
    split: {{base: 100}}
    shadow: {{variant: ft, percent: 100}}
  broken: {{variants: {{base: {{upstream: two, model: m-broken}}}}}}
tracing: {{endpoint: 'http://127.0.0.1:{collector}', sample_percent: 100}}
"""


def answer(asked: SeenRequest) -> Steps:
    """Answer as the model that is asked for would."""
    said = asked.json()
    if said["model"] == "m-broken":
        return error_reply(503)
    if said.get("stream"):
        return stream_reply(*chat_events("On", " its", " way.", model=said["model"], usage=True))
    return reply(said["model"])


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        server.by_default = answer
        yield server


def ours(flags: str) -> dict[str, str]:
    """Return the headers of a client that traces."""
    return {"traceparent": f"00-{TRACE}-{PARENT}-{flags}", "tracestate": "a=1"}


async def drive(turnout: Served) -> None:
    """Ask as apps do: plainly, in a trace, for a stream, of a model that fails, and unsampled."""
    base = f"http://127.0.0.1:{turnout.port}/v1"
    async with openai.AsyncOpenAI(base_url=base, api_key="none", max_retries=0) as client:
        ask = client.chat.completions.create
        await ask(model="support", messages=[ASK])
        stream = await ask(model="support", messages=[ASK], stream=True, extra_headers=ours("01"))
        assert [part async for part in stream]
        with pytest.raises(openai.InternalServerError):
            await ask(model="broken", messages=[ASK], extra_headers=ours("01"))
        await ask(model="support", messages=[ASK], extra_headers=ours("00"))


async def event(turnout: Served, name: str) -> None:
    """Wait until the log has an event."""

    async def logged() -> list[Line]:
        return turnout.lines(name)

    await eventually(logged, bool)


async def sample_none(turnout: Served) -> None:
    """Let no more of the traces that begin here be sampled: the file changes."""
    file = turnout.log.parent / "turnout.yaml"
    file.write_text(file.read_text().replace("sample_percent: 100", "sample_percent: 0"))

    async def reloads() -> float:
        return (await turnout.metrics()).total("turnout_config_reloads_total")

    await eventually(reloads, bool)


async def exported(turnout: Served) -> dict[tuple[str, ...], float]:
    """Return how many spans had which result."""
    return (await turnout.metrics()).by("turnout_spans_total", "result")


async def arrived(beyond: Receiver, count: int) -> dict[str, Span]:
    """Return what the collector handed on, once it is so many spans, by the requests' ids."""

    async def spans() -> dict[str, Span]:
        found = [span for body in beyond.bodies for span in spans_in(body)]
        return {facts(span)["turnout.request_id"]: span for span in found}

    return await eventually(spans, lambda seen: len(seen) >= count)


def holds(call: Span, said: dict[str, Any], spans: dict[str, Span]) -> None:
    """Check what a call to a model says, and whose span it is below."""
    repeated = spans.get(said.get("turnout.shadow_of", ""))
    clients = PARENT if call.trace_id.hex() == TRACE else ""
    assert call.parent_span_id.hex() == (clients if repeated is None else repeated.span_id.hex())
    assert (repeated is not None) == (call.name == "chat m-ft")
    assert said["gen_ai.operation.name"] == "chat"
    assert call.name == f"chat {said['gen_ai.request.model']}"
    assert said["server.address"] == "127.0.0.1"
    streams = "gen_ai.response.time_to_first_chunk" in said
    assert said.get("gen_ai.request.stream") == (True if streams else None)
    if call.name == FAILS:
        error = (Status.STATUS_CODE_ERROR, said["error.type"])
        assert (call.status.code, call.status.message) == error
        assert (said["http.response.status_code"], said["turnout.attempts"]) == (503, 2)
    else:
        assert (call.status.code, "error.type" in said) == (Status.STATUS_CODE_UNSET, False)
        assert said["gen_ai.response.model"] == said["gen_ai.request.model"]
        assert said["gen_ai.response.finish_reasons"] == ["stop"]
        assert said["gen_ai.usage.output_tokens"] > 0


async def test_every_sampled_exchange_gets_to_a_collector_that_was_away(
    tmp_path: Path, upstream: ScriptedUpstream
) -> None:
    port = free_port()
    config = CONFIG.format(port=upstream.port, collector=port)
    async with receiver() as beyond, served(tmp_path, config) as turnout:
        await drive(turnout)
        # A batch is full, so that nothing waits for company.
        assert await pipeline(turnout.port, [NOWHERE] * MORE) == [404] * MORE
        await event(turnout, "span export fails")
        await sample_none(turnout)
        async with collector(port, beyond.url):
            await event(turnout, "span export works again")
            await drive(turnout)
            await turnout.exchanges(2 * DRIVEN + MORE)
            counted = await eventually(
                lambda: exported(turnout), lambda by: sum(by.values()) >= MOST
            )
            await turnout.end()  # what waits is sent before it ends
            spans = await arrived(beyond, SPANS)

    lines = {line["request_id"]: line for line in turnout.lines("exchange")}
    told = [request.header("traceparent") or "" for request in upstream.requests]
    assert (len(spans), list(counted)) == (SPANS, [("exported",)])
    for request_id, span in spans.items():
        line = lines[request_id]
        ids = f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01"
        took = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
        assert span.trace_id.hex() == line["trace_id"]
        assert took == pytest.approx(line["latency_ms"], abs=0.01)
        assert told.count(ids) == line["attempts"], "each attempt has the span's own id"

    calls = [span for span in spans.values() if span.kind == Span.SPAN_KIND_CLIENT]
    assert Counter(span.name for span in calls) == {"chat m-base": 3, "chat m-ft": 3, FAILS: 2}
    assert Counter(span.name for span in spans.values())["GET other"] == MORE
    for call in calls:
        holds(call, facts(call), spans)
    assert sum(call.trace_id.hex() != TRACE for call in calls) == 2, "a plain one and its shadow"
    assert sum("gen_ai.request.stream" in facts(call) for call in calls) == 4
