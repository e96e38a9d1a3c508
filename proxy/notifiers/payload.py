"""The JSON that a webhook is sent; docs/alerts.md describes it.

The fields are a contract with the receiver: names stay, new ones may come.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from proxy.alerting.notice import Notice

SCHEMA_VERSION = 1
FACTS = (  # of the latest exchange
    *("request_id", "route", "variant_assigned", "variant_served", "forced", "upstream"),
    *("endpoint", "dialect", "stream", "model_asked", "model_served", "status", "outcome"),
    *("error_code", "latency_ms", "ttft_ms", "tpot_ms", "reply_chars", "finish_reason"),
    *("key_name", "table_version", "prompt_preview", "response_preview"),
)


def payload(notice: Notice, host: str) -> bytes:
    """Return the body of one post, from the turnout on `host`."""
    seen = notice.observation
    body: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "id": notice.id,
        "key": notice.key,
        "text": notice.sentence,
        "alert": notice.name,
        "state": notice.state,
        "route": notice.route,
        "variant": notice.variant,
        "about": notice.about,
        "host": host,
        "value": notice.value,
        "threshold": notice.threshold,
        "unit": notice.unit,
        "count": notice.count,
        "first_at": moment(notice.first_at),
        "last_at": moment(notice.last_at),
        "ends_at": None if notice.ends_at is None else moment(notice.ends_at),
        "runbook": notice.runbook,
        "request_ids": notice.request_ids,
        "exchange": None if seen is None else {name: getattr(seen, name) for name in FACTS},
    }
    return msgspec.json.encode(body)


def moment(at: float) -> datetime:
    """Return seconds since the epoch as a moment, in UTC."""
    return datetime.fromtimestamp(at, UTC)
