"""The JSON that a webhook is sent; docs/alerts.md describes it.

The fields are a contract with the receiver: names stay, new ones may come.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import msgspec

from proxy.alerting import Alert, AlertName, Folded

SCHEMA_VERSION = 1
UNITS = {AlertName.SLOW: "ms", AlertName.SHORT: "characters", AlertName.BUDGET: "USD"}
FACTS = (  # of the latest exchange
    *("request_id", "route", "variant_assigned", "variant_served", "forced", "upstream"),
    *("endpoint", "dialect", "stream", "model_asked", "model_served", "status", "outcome"),
    *("error_code", "latency_ms", "ttft_ms", "tpot_ms", "reply_chars", "finish_reason"),
    *("key_name", "table_version", "prompt_preview", "response_preview"),
)


def payload(folded: Folded) -> bytes:
    """Return the body of one post."""
    alert = folded.alert
    exchange = {name: getattr(alert.observation, name) for name in FACTS}
    body: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "id": "-".join(told_apart(alert)),
        "text": sentence(folded),
        "alert": alert.name,
        "route": alert.route,
        "variant": alert.variant,
        "about": alert.about,
        "value": alert.value,
        "threshold": alert.threshold,
        "count": folded.count,
        "first_at": datetime.fromtimestamp(folded.first_at, UTC),
        "last_at": datetime.fromtimestamp(folded.last_at, UTC),
        "exchange": exchange,
    }
    return msgspec.json.encode(body)


def told_apart(alert: Alert) -> Iterator[str]:
    """Yield what tells an alert from others: one exchange may bring two budgets to a level."""
    yield from (alert.observation.request_id, alert.name)
    if alert.about is not None:
        yield f"{crc32(alert.about.encode()):08x}"


def sentence(folded: Folded) -> str:
    """Return the alert in words."""
    alert = folded.alert
    if alert.about is not None:
        return f"turnout: {alert.about} are spent: {alert.value:.2f} USD"
    unit = UNITS[alert.name]
    where = f"{alert.route or 'no route'} / {alert.variant or 'no variant'}"
    times = "" if folded.count == 1 else f", {folded.count} times"
    return (
        f"turnout: {alert.name} reply on {where}: {alert.value:g} {unit}"
        f" (threshold {alert.threshold:g}){times}"
    )
