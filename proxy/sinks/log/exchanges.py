"""The line of an exchange and the line of an alert; docs/log.md says what each field means.

The fields are a contract with whoever parses the log: names stay, new ones may come.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from proxy.alerting import Alert
from proxy.exchange.observation import Observation


class ExchangeLog:
    """One line for each exchange; bound once to the logging as it is configured."""

    def __init__(self) -> None:
        self._write = structlog.get_logger().bind().info

    def take(self, observations: Iterable[Observation]) -> None:
        """Log what ended."""
        write = self._write
        for observation in observations:
            write("exchange", observation=observation)


class AlertLog:
    """One line for each alert, with the facts of its exchange."""

    def __init__(self) -> None:
        self._write = structlog.get_logger().bind().warning

    def alert(self, alert: Alert) -> None:
        """Log an alert."""
        self._write(
            "alert",
            observation=alert.observation,
            alert=alert.name,
            value=alert.value,
            threshold=alert.threshold,
        )


def unfold(_: WrappedLogger, level: str, event: EventDict) -> EventDict:
    """Put an observation's fields in its place (a structlog processor).

    An event carries one value this far and not forty: structlog copies them at each step.
    """
    seen: Observation | None = event.pop("observation", None)
    if seen is None:
        return event
    facts = fields(seen, level, event.pop("event"))
    facts.update(event)
    return facts


def fields(seen: Observation, level: str, event: str) -> dict[str, Any]:
    """Return what is written of an exchange, dated at its end."""
    usage = seen.usage
    facts = {
        "timestamp": datetime.fromtimestamp(seen.started_at + seen.latency_ms / 1000, UTC),
        "level": level,
        "event": event,
        "request_id": seen.request_id,
        "shadow_of": seen.shadow_of,
        "route": seen.route,
        "variant_assigned": seen.variant_assigned,
        "variant_served": seen.variant_served,
        "forced": seen.forced,
        "pinned": seen.pinned,
        "unit_kind": seen.unit_kind,
        "unit_missing": seen.unit_missing,
        "bucket": seen.bucket,
        "upstream": seen.upstream,
        "attempts": seen.attempts,
        "method": seen.method,
        "endpoint": seen.endpoint,
        "dialect": seen.dialect,
        "stream": seen.stream,
        "model_asked": seen.model_asked,
        "model_served": seen.model_served,
        "status": seen.status,
        "outcome": seen.outcome,
        "error_code": seen.error_code,
        "in_band_error": seen.in_band_error,
        "prompt_tokens": usage.prompt_tokens,
        "response_tokens": usage.response_tokens,
        "cached_tokens": usage.cached_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "tokens_source": seen.tokens_source,
        "latency_ms": seen.latency_ms,
        "ttft_ms": seen.ttft_ms,
        "tpot_ms": seen.tpot_ms,
        "overhead_ms": seen.overhead_ms,
        "reply_chars": seen.reply_chars,
        "reply_bytes": seen.reply_bytes,
        "finish_reason": seen.finish_reason,
        "refused": seen.refused,
        "tool_calls": seen.tool_calls,
        "malformed_events": seen.malformed_events,
        "key_name": seen.key_name,
        "table_version": seen.table_version,
    }
    if seen.prompt_preview is not None:
        facts["prompt_preview"] = seen.prompt_preview
    if seen.response_preview is not None:
        facts["response_preview"] = seen.response_preview
    return facts
