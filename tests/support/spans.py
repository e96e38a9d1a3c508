"""A sampled exchange, and the spans that a receiver got."""

import gzip
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from proxy.exchange import Observation, Trace
from tests.support.observed import observed

TRACE, SPAN, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"


def traced(**changes: Any) -> Observation:
    """Return an exchange that is a span below a client's."""
    return observed(**({"trace": Trace(TRACE, SPAN, PARENT)} | changes))


def spans_in(body: bytes) -> list[Span]:
    """Return the spans of a request's body, as it came."""
    request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
    return [
        span
        for whole in request.resource_spans
        for scoped in whole.scope_spans
        for span in scoped.spans
    ]


def facts(said: Any) -> dict[str, Any]:
    """Return attributes as plain values."""
    pairs: list[KeyValue] = list(said.attributes)
    return {pair.key: plain(pair.value) for pair in pairs}


def plain(value: AnyValue) -> Any:
    """Return a value as Python has it."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(each) for each in value.array_value.values]
    return getattr(value, str(kind))
