"""One request's life as data: `Exchange` while it lives, `Observation` when it is over."""

from proxy.exchange.observation import SCHEMA_VERSION, Observation, Texts, Usage
from proxy.exchange.outcome import ErrorCode, Outcome

__all__ = ["SCHEMA_VERSION", "ErrorCode", "Observation", "Outcome", "Texts", "Usage"]
