"""Prometheus metrics: cells in memory, shown when they are asked for."""

from proxy.sinks.metrics.exchanges import Metrics
from proxy.sinks.metrics.fleet import (
    Fleet,
    fleet_readings,
    notifier_readings,
    own_readings,
    span_readings,
)
from proxy.sinks.metrics.hosts import host_readings
from proxy.sinks.metrics.names import Names
from proxy.sinks.metrics.processes import Processes
from proxy.sinks.metrics.stored import store_readings

__all__ = [
    "Fleet",
    "Metrics",
    "Names",
    "Processes",
    "fleet_readings",
    "host_readings",
    "notifier_readings",
    "own_readings",
    "span_readings",
    "store_readings",
]
