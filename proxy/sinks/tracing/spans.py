"""The span that an exchange is, as OpenTelemetry's conventions for generative AI name things.

What has no name there begins with `turnout.`. Words of prompts and replies are in no span. It
knows nothing of how spans travel.
"""

from collections.abc import Iterator, Mapping, Sequence

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, SpanFlags, Status

from proxy.config.settings import UpstreamSettings
from proxy.exchange.observation import Observation, Trace
from proxy.exchange.outcome import FAILED, Outcome
from proxy.sinks.metrics.names import OPERATIONS, Names

Value = str | bool | int | float | Sequence[str] | None  # None: left out

FIRST_TOKEN = "turnout.first_token"  # noqa: S105  # an event's name
SAMPLED = 0x01  # in the flags, as W3C has them


def span_of(
    seen: Observation, trace: Trace, names: Names, upstreams: Mapping[str, UpstreamSettings]
) -> Span:
    """Return the span of `seen`, which is `trace`; `names` knows models, `upstreams` addresses.

    CLIENT where a model was called, as the conventions want it; SERVER where turnout answered.
    """
    began = nanoseconds(seen.started_at)
    span = Span(
        trace_id=bytes.fromhex(trace.trace_id),
        span_id=bytes.fromhex(trace.span_id),
        parent_span_id=bytes.fromhex(trace.parent_id or ""),
        flags=_flags(seen, trace),
        kind=Span.SPAN_KIND_CLIENT if seen.attempts else Span.SPAN_KIND_SERVER,
        name=name_of(seen, names),
        start_time_unix_nano=began,
        end_time_unix_nano=began + nanoseconds(seen.latency_ms / 1000),
        attributes=attributes(_facts(seen, names, upstreams)),
        status=_status(seen),
    )
    if seen.ttft_ms is not None:
        at = began + nanoseconds(seen.ttft_ms / 1000)
        span.events.append(Span.Event(name=FIRST_TOKEN, time_unix_nano=at))
    return span


def name_of(seen: Observation, names: Names) -> str:
    """Return a span's name: of few words, none of them a client's."""
    operation = OPERATIONS.get(seen.dialect)
    if operation is None:
        return f"{seen.method} {seen.endpoint}".strip()
    model = _model(seen, names)
    return operation if model is None else f"{operation} {model}"


def nanoseconds(seconds: float) -> int:
    """Return `seconds` in whole nanoseconds."""
    return round(seconds * 1e9)


def attributes(facts: Iterator[tuple[str, Value]]) -> Iterator[KeyValue]:
    """Return what is known of `facts` in OTLP's form."""
    return (KeyValue(key=key, value=_value(said)) for key, said in facts if said is not None)


def _value(said: str | float | Sequence[str]) -> AnyValue:
    match said:
        case str():
            return AnyValue(string_value=said)
        case bool():  # before int, which it is
            return AnyValue(bool_value=said)
        case int():
            return AnyValue(int_value=said)
        case float():
            return AnyValue(double_value=said)
        case _:
            return AnyValue(array_value=ArrayValue(values=[_value(each) for each in said]))


def _flags(seen: Observation, trace: Trace) -> int:
    """Return the flags: sampled, and whether the parent is another program's span."""
    flags = SAMPLED | SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
    if trace.parent_id is not None and seen.shadow_of is None:
        flags |= SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK
    return flags


def _status(seen: Observation) -> Status:
    """Return ERROR for a failure, and for a model's refusal of the request.

    What turnout itself turns down is the caller's error, not one of a SERVER span; a client that
    left is nobody's.
    """
    rejected = seen.outcome is Outcome.REJECTED and seen.attempts > 0
    if seen.outcome in FAILED or rejected:
        return Status(code=Status.STATUS_CODE_ERROR, message=seen.error_code or seen.outcome)
    return Status()


def _model(seen: Observation, names: Names) -> str | None:
    """Return the model that was asked for upstream, as configured; None: it is no route's."""
    variant = seen.variant_served or seen.variant_assigned
    if seen.route is None or variant is None:
        return seen.route
    return names.model(seen.route, variant)


def _facts(
    seen: Observation, names: Names, upstreams: Mapping[str, UpstreamSettings]
) -> Iterator[tuple[str, Value]]:
    yield from _of_the_model(seen, names)
    upstream = upstreams.get(seen.upstream or "")
    if upstream is not None:
        yield "server.address", upstream.host
        yield "server.port", upstream.port
    yield "http.request.method", seen.method
    yield "http.response.status_code", seen.status
    gone = seen.outcome in (Outcome.COMPLETED, Outcome.CLIENT_GONE)
    yield "error.type", None if gone else seen.error_code or seen.outcome
    yield from _of_turnout(seen)


def _of_the_model(seen: Observation, names: Names) -> Iterator[tuple[str, Value]]:
    operation = OPERATIONS.get(seen.dialect)
    if operation is None:
        return
    usage = seen.usage
    yield "gen_ai.operation.name", operation
    yield "gen_ai.provider.name", seen.upstream
    yield "gen_ai.request.model", _model(seen, names) or seen.model_asked
    yield "gen_ai.request.stream", seen.stream or None  # unset says no
    yield "gen_ai.request.max_tokens", seen.max_tokens
    yield "gen_ai.response.model", seen.model_served
    reason = seen.finish_reason
    yield "gen_ai.response.finish_reasons", None if reason is None else [reason]
    if seen.stream and seen.ttft_ms is not None:
        yield "gen_ai.response.time_to_first_chunk", seen.ttft_ms / 1000
    yield "gen_ai.usage.input_tokens", usage.prompt_tokens
    yield "gen_ai.usage.output_tokens", usage.response_tokens
    yield "gen_ai.usage.cache_read.input_tokens", usage.cached_tokens
    yield "gen_ai.usage.reasoning.output_tokens", usage.reasoning_tokens


def _of_turnout(seen: Observation) -> Iterator[tuple[str, Value]]:
    yield "turnout.request_id", seen.request_id
    yield "turnout.shadow_of", seen.shadow_of
    yield "turnout.outcome", seen.outcome.value
    yield "turnout.version", seen.table_version
    yield "turnout.route", seen.route
    yield "turnout.variant.assigned", seen.variant_assigned
    yield "turnout.variant.served", seen.variant_served
    yield "turnout.forced", seen.forced or None
    yield "turnout.pinned", seen.pinned or None
    yield "turnout.key", seen.key_name
    yield "turnout.endpoint", seen.endpoint or None
    yield "turnout.attempts", seen.attempts
    yield "turnout.overhead_ms", seen.overhead_ms
    yield "turnout.tokens_source", seen.tokens_source
    yield "turnout.cost_usd", seen.cost_usd
    yield "turnout.signals", seen.signals or None
    yield "turnout.format_check", seen.format_check
    yield "turnout.alerts", seen.alerts or None
