"""Observations for tests: a whole, unremarkable one, and changes to it."""

from typing import Any

from proxy.exchange.observation import Observation, Usage
from proxy.exchange.outcome import Outcome


def observed(**changes: Any) -> Observation:
    """Return a completed chat exchange on route `support`, variant `base`, with `changes`."""
    facts: dict[str, Any] = {
        "request_id": "req-1",
        "started_at": 1_795_000_000.0,
        "table_version": 3,
        "outcome": Outcome.COMPLETED,
        "status": 200,
        "endpoint": "/v1/chat/completions",
        "dialect": "chat",
        "route": "support",
        "variant_assigned": "base",
        "variant_served": "base",
        "bucket": 4711,
        "unit_kind": "user",
        "upstream": "openai",
        "model_asked": "support",
        "model_served": "gpt-4o-mini",
        "attempts": 1,
        "usage": Usage(12, 34, 0, None),
        "tokens_source": "upstream",
        "latency_ms": 812.5,
        "overhead_ms": 0.4,
        "reply_chars": 120,
        "reply_bytes": 800,
        "finish_reason": "stop",
        "prompt_preview": "Where is my parcel?",
        "response_preview": "It left the depot this morning.",
    }
    return Observation(**(facts | changes))
