"""Tracing by a whole turnout: a client's trace goes on upstream, its span to the collector."""

from pathlib import Path

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.patience import eventually
from tests.support.raw_traffic import chat, pipeline
from tests.support.receiver import receiver
from tests.support.scripted_upstream import json_reply, scripted_upstream
from tests.support.served import LISTENERS, Served, served
from tests.support.spans import PARENT, TRACE, facts, spans_in

CONFIG = """\
upstreams: {{u: {{base_url: 'http://127.0.0.1:{port}/v1'}}}}
routes: {{support: {{variants: {{base: {{upstream: u, model: m}}}}}}}}
tracing:
  endpoint: '{collector}'
  headers: {{x-key: '${{COLLECTOR_KEY}}'}}
  sample_percent: {percent}
"""
MESSAGE = {"role": "assistant", "content": "It left the depot this morning."}
CHOICE = {"index": 0, "message": MESSAGE, "finish_reason": "stop"}
USAGE = {"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16}
REPLY = json_reply({"object": "chat.completion", "choices": [CHOICE], "usage": USAGE})


async def reloads(turnout: Served) -> float:
    """Return how many files were read that change no routing."""
    return (await turnout.metrics()).total("turnout_config_reloads_total", result="unchanged")


async def test_a_clients_trace_goes_on_to_the_upstream_and_its_span_to_the_collector(
    tmp_path: Path,
) -> None:
    async with scripted_upstream() as upstream, receiver() as collector:
        upstream.by_default = REPLY
        config = CONFIG.format(port=upstream.port, collector=collector.url, percent=0)
        async with served(tmp_path, config, environment={"COLLECTOR_KEY": "hush"}) as turnout:
            ours = chat("support", f"traceparent: 00-{TRACE}-{PARENT}-01", "tracestate: a=1")
            quiet = chat("support", f"traceparent: 00-{TRACE}-{PARENT}-00")
            assert await pipeline(turnout.port, [ours, quiet, chat()]) == [200, 200, 200]
            all_of_them = config.replace("percent: 0", "percent: 100")
            (tmp_path / "turnout.yaml").write_text(LISTENERS + all_of_them)
            await eventually(lambda: reloads(turnout), bool)
            assert await pipeline(turnout.port, [chat()]) == [200]
            lines = await turnout.exchanges(4)
            await turnout.end()  # what waits is sent before it ends

    told = [request.header("traceparent") or "" for request in upstream.requests]
    span, new = (span for body in collector.bodies for span in spans_in(body))
    assert told[0] == f"00-{TRACE}-{span.span_id.hex()}-01"
    assert upstream.requests[0].header("tracestate") == "a=1"
    assert span.trace_id.hex() == TRACE
    assert span.parent_span_id.hex() == PARENT
    assert (span.name, span.kind) == ("chat m", Span.SPAN_KIND_CLIENT)
    assert facts(span)["turnout.request_id"] == lines[0]["request_id"]
    assert facts(span)["gen_ai.usage.output_tokens"] == 9
    assert [each[-2:] for each in told] == ["01", "00", "00", "01"]
    assert told[3] == f"00-{new.trace_id.hex()}-{new.span_id.hex()}-01"
    assert new.parent_span_id == b""
    assert [line["trace_id"] for line in lines] == [each.split("-")[1] for each in told]
    assert collector.heads[0]["x-key"] == "hush"
    assert collector.heads[0][""].startswith("POST /hooks/secret-token/v1/traces ")
