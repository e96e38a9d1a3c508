"""Requests of OTLP: many spans as one, with what they have in common, and what an answer says."""

from collections.abc import Mapping, Sequence

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans

from proxy.config.settings import Tracing, UpstreamSettings
from proxy.exchange.observation import Observation
from proxy.sinks.metrics.names import Names
from proxy.sinks.tracing.spans import attributes, span_of

PATH = "/v1/traces"  # below the endpoint, which is one of all signals


class Requests:
    """Writes requests for the collector that `tracing` names; any thread may ask."""

    def __init__(
        self,
        tracing: Tracing,
        names: Names,
        upstreams: Mapping[str, UpstreamSettings],
        *,
        version: str,
        host: str,
    ) -> None:
        self.url = tracing.endpoint + PATH
        self.headers: Mapping[str, str] = tracing.headers
        self._names = names
        self._upstreams = upstreams
        facts = (
            ("service.name", tracing.service_name),
            ("service.version", version),
            ("service.instance.id", host),
        )
        self._resource = Resource(attributes=attributes(iter(facts)))
        self._scope = InstrumentationScope(name="turnout", version=version)

    def write(self, observations: Sequence[Observation]) -> bytes:
        """Return the request for the spans of `observations`, each of which has a trace."""
        spans = [
            span_of(seen, seen.trace, self._names, self._upstreams)
            for seen in observations
            if seen.trace is not None
        ]
        scoped = ScopeSpans(scope=self._scope, spans=spans)
        whole = ResourceSpans(resource=self._resource, scope_spans=[scoped])
        return ExportTraceServiceRequest(resource_spans=[whole]).SerializeToString()

    def rejected(self, answer: bytes) -> int:
        """Return how many spans the collector says that it did not take."""
        try:
            said = ExportTraceServiceResponse.FromString(answer)
        except DecodeError:
            return 0  # its status said that it took them
        return max(said.partial_success.rejected_spans, 0)
