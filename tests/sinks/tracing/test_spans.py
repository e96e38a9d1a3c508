"""What a span says of an exchange, read back with OpenTelemetry's own messages."""

from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from proxy.config.settings import Tracing, UpstreamSettings
from proxy.exchange import ErrorCode, Observation, Outcome, Trace, Usage
from proxy.routing.table import Route, RoutingTable, Variant
from proxy.sinks.metrics import Names
from proxy.sinks.tracing.requests import Requests
from tests.support.spans import PARENT, SPAN, TRACE, facts, traced

UPSTREAMS = {
    "openai": UpstreamSettings(name="openai", scheme="https", host="api.example.com", port=443)
}


def names() -> Names:
    variants = (
        Variant(name="base", upstream="openai", model="gpt-4o-mini"),
        Variant(name="ft", upstream="openai"),
    )
    route = Route(name="support", variants=variants, weights=(1.0, 1.0))
    found = Names()
    found.adopt(RoutingTable(version=1, digest="", routes={"support": route}), UPSTREAMS)
    return found


def requests() -> Requests:
    endpoint, headers = "http://collector:4318/base", {"x-key": "hush"}
    tracing = Tracing(endpoint=endpoint, headers=headers, service_name="inference")
    return Requests(tracing, names(), UPSTREAMS, version="1.2.3", host="host-a")


def span(seen: Observation) -> Span:
    request = ExportTraceServiceRequest.FromString(requests().write([seen]))
    (found,) = request.resource_spans[0].scope_spans[0].spans
    return found


def test_a_call_to_a_model_is_a_client_span_below_the_clients_own() -> None:
    found = span(traced(latency_ms=812.5, ttft_ms=100.0, stream=True))
    assert (found.trace_id.hex(), found.span_id.hex()) == (TRACE, SPAN)
    assert found.parent_span_id.hex() == PARENT
    assert (found.name, found.kind) == ("chat gpt-4o-mini", Span.SPAN_KIND_CLIENT)
    assert found.flags == 0x301  # sampled, and its parent is somebody else's
    assert found.start_time_unix_nano == 1_795_000_000 * 10**9
    assert found.end_time_unix_nano - found.start_time_unix_nano == 812_500_000
    (first,) = found.events
    assert first.name == "turnout.first_token"
    assert first.time_unix_nano - found.start_time_unix_nano == 100_000_000
    assert found.status == Status()


def test_it_says_what_the_conventions_ask_for_and_what_turnout_decided() -> None:
    said = facts(span(traced(usage=Usage(12, 34, 5, 6), max_tokens=64, key_name="app")))
    assert said == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.request.max_tokens": 64,
        "gen_ai.response.model": "gpt-4o-mini",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 34,
        "gen_ai.usage.cache_read.input_tokens": 5,
        "gen_ai.usage.reasoning.output_tokens": 6,
        "server.address": "api.example.com",
        "server.port": 443,
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "turnout.request_id": "req-1",
        "turnout.outcome": "completed",
        "turnout.version": 3,
        "turnout.route": "support",
        "turnout.variant.assigned": "base",
        "turnout.variant.served": "base",
        "turnout.key": "app",
        "turnout.endpoint": "/v1/chat/completions",
        "turnout.attempts": 1,
        "turnout.overhead_ms": 0.4,
        "turnout.tokens_source": "upstream",
    }


def test_no_word_of_a_prompt_or_a_reply_is_in_a_span() -> None:
    written = requests().write([traced(prompt_preview="Where", response_preview="It left")])
    assert b"Where" not in written
    assert b"It left" not in written


@pytest.mark.parametrize(
    ("changes", "code", "error"),
    [
        ({"outcome": Outcome.UPSTREAM_CUT, "error_code": ErrorCode.PROVIDER_CUT}, 2, "cut"),
        ({"outcome": Outcome.PROXY_ERROR}, 2, "proxy_error"),
        ({"outcome": Outcome.REJECTED, "error_code": "caller_rejected_upstream"}, 2, "rejected"),
        ({"outcome": Outcome.REJECTED, "error_code": "caller_bad_json", "attempts": 0}, 0, "json"),
        ({"outcome": Outcome.CLIENT_GONE}, 0, None),
    ],
)
def test_a_failure_is_an_error_but_for_what_is_the_callers_own(
    changes: dict[str, Any], code: int, error: str | None
) -> None:
    found = span(traced(**changes))
    assert found.status.code == code
    said = facts(found).get("error.type", "")
    assert (error or "") in said
    assert bool(said) == (error is not None)
    assert found.status.message == (said if code else "")


def test_what_turnout_answers_itself_is_a_server_span() -> None:
    found = span(
        traced(attempts=0, dialect="none", endpoint="/v1/models", method="GET", upstream=None)
    )
    assert (found.kind, found.name) == (Span.SPAN_KIND_SERVER, "GET /v1/models")
    assert not [name for name in facts(found) if name.startswith(("gen_ai.", "server."))]


def test_a_trace_that_begins_here_has_no_parent() -> None:
    found = span(traced(trace=Trace(TRACE, SPAN)))
    assert (found.parent_span_id, found.flags) == (b"", 0x101)


def test_a_shadow_is_a_span_below_the_exchange_that_it_repeats() -> None:
    found = span(traced(shadow_of="req-0"))
    assert found.parent_span_id.hex() == PARENT
    assert found.flags == 0x101  # the parent is turnout's
    assert facts(found)["turnout.shadow_of"] == "req-0"


def test_a_name_has_no_word_of_a_clients() -> None:
    variant: dict[str, Any] = dict.fromkeys(("variant_assigned", "variant_served"))
    known = traced(variant_assigned="ft", variant_served="ft")
    unknown = traced(route=None, **variant, model_asked="anything")
    assert [span(each).name for each in (known, unknown)] == ["chat support", "chat"]
    assert facts(span(unknown))["gen_ai.request.model"] == "anything"


def test_a_request_says_whose_spans_they_are() -> None:
    asked = requests()
    assert asked.url == "http://collector:4318/base/v1/traces"
    assert asked.headers == {"x-key": "hush"}
    whole = ExportTraceServiceRequest.FromString(asked.write([traced()])).resource_spans[0]
    assert facts(whole.resource) == {
        "service.name": "inference",
        "service.version": "1.2.3",
        "service.instance.id": "host-a",
    }
    assert whole.scope_spans[0].scope.name == "turnout"


def test_an_answer_says_how_many_were_not_taken() -> None:
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 3
    asked = requests()
    assert asked.rejected(answer.SerializeToString()) == 3
    assert asked.rejected(b"") == 0
    assert asked.rejected(b"<html>") == 0
