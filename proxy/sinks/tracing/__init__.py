"""Spans of exchanges, sent to a collector over OTLP.

spans       the span that an exchange is, in OpenTelemetry's words
requests    many of them as one request of OTLP, and what its answer says
posting     one POST, and whether to try it again
exporter    what waits, when it leaves, and what is given up

`spans` and `requests` load protobuf, so they are loaded only where tracing is on.
"""

from proxy.sinks.tracing.exporter import Exporter

__all__ = ["Exporter"]
