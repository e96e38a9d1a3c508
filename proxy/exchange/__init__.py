"""One request's life as data: `Exchange` while it lives, `Observation` when it is over."""

from proxy.exchange.exchange import Exchange
from proxy.exchange.observation import SCHEMA_VERSION, Bodies, Observation, Texts, Trace, Usage
from proxy.exchange.outcome import ErrorCode, Outcome
from proxy.exchange.reading import Reading

__all__ = [
    "SCHEMA_VERSION",
    "Bodies",
    "ErrorCode",
    "Exchange",
    "Observation",
    "Outcome",
    "Reading",
    "Texts",
    "Trace",
    "Usage",
]
