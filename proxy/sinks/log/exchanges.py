"""The line of an exchange and the line of an alert; docs/log.md says what each field means.

The fields are a contract with whoever parses the log: names stay, new ones may come. What form
a line has, JSON or words, is not known here.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, Final

import structlog
from msgspec import Struct, defstruct
from msgspec.structs import astuple

from proxy.alerting import Alert
from proxy.exchange.observation import Observation, Usage

FACTS: Final = (  # of an observation, under its own names
    *("request_id", "shadow_of", "route", "variant_assigned", "variant_served"),
    *("forced", "pinned", "unit_kind", "unit_missing", "bucket", "upstream", "attempts"),
    *("method", "endpoint", "dialect", "stream", "model_asked", "model_served"),
    *("status", "outcome", "error_code", "in_band_error", "tokens_source"),
    *("latency_ms", "ttft_ms", "tpot_ms", "overhead_ms", "reply_chars", "reply_bytes"),
    *("finish_reason", "refused", "tool_calls", "malformed_events", "max_tokens", "signals"),
    *("format_check", "cost_usd", "key_name", "table_version"),
)
PREVIEWS: Final = ("prompt_preview", "response_preview")  # left out where there is none

# Values go from struct to struct as tuples: one by one, by name, they would cost twice as much.
Line: Any = defstruct(
    "Line",
    [
        *("timestamp", "level", "event", *FACTS, *Usage.__struct_fields__),
        *((name, str | None, None) for name in PREVIEWS),
        ("trace_id", str | None, None),  # left out where tracing is off
    ],
    omit_defaults=True,
    gc=False,
)
AlertLine: Any = defstruct(
    "AlertLine",
    ["alert", "about", "value", "threshold", "silenced"],
    bases=(Line,),
    kw_only=True,
    gc=False,
)
_facts: Final = itemgetter(*map(Observation.__struct_fields__.index, FACTS))


class ExchangeLog:
    """One line for each exchange; bound once to the logging as it is configured."""

    def __init__(self) -> None:
        self._write = structlog.get_logger().bind().info

    def take(self, observations: Sequence[Observation]) -> None:
        """Log what ended: one event for all of them, because an event costs as much as a line."""
        self._write("exchange", lines=[line_of(seen, "info", "exchange") for seen in observations])


class AlertLog:
    """One line for each alert, with the facts of its exchange, and whether it is `silenced`."""

    def __init__(self, silenced: Callable[[Alert], bool] = lambda _: False) -> None:
        self._write = structlog.get_logger().bind().warning
        self._silenced = silenced

    def alert(self, alert: Alert) -> None:
        """Log an alert."""
        rule: dict[str, Any] = {
            name: getattr(alert, name) for name in ("about", "value", "threshold")
        }
        rule |= {"alert": alert.name, "silenced": self._silenced(alert)}
        line = line_of(alert.observation, "warning", "alert", AlertLine, **rule)
        self._write("alert", lines=[line])


def line_of(seen: Observation, level: str, event: str, form: Any = Line, **more: object) -> Struct:
    """Return what is written of an exchange, dated at its end."""
    line: Struct = form(
        datetime.fromtimestamp(seen.started_at + seen.latency_ms / 1000, UTC),
        level,
        event,
        *_facts(astuple(seen)),
        *astuple(seen.usage),
        seen.prompt_preview,
        seen.response_preview,
        None if seen.trace is None else seen.trace.trace_id,
        **more,
    )
    return line
