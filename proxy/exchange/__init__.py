"""One request's life as data: `Exchange` while it lives, `Observation` when it is over."""

from proxy.exchange.exchange import NO_REPLY, Exchange, ReplyFacts
from proxy.exchange.observation import SCHEMA_VERSION, Observation, Texts, Usage
from proxy.exchange.outcome import ErrorCode, Outcome

__all__ = [
    "NO_REPLY",
    "SCHEMA_VERSION",
    "ErrorCode",
    "Exchange",
    "Observation",
    "Outcome",
    "ReplyFacts",
    "Texts",
    "Usage",
]
