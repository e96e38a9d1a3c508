"""Notices for tests: of single exchanges, and of what fires over a window and is over again."""

from typing import Any

from msgspec.structs import replace

from proxy.alerting import Alert, AlertName, Notice, State, key_of, noticed
from proxy.alerting.folding import single
from proxy.alerting.notice import told_as
from tests.support.observed import observed

NOW = 1_795_000_000.0  # 2026-11-18T11:06:40Z


def alert(variant: str = "base", at: float = NOW, number: int = 1) -> Alert:
    """Return an alert on one slow exchange."""
    seen = observed(request_id=f"req-{number}", variant_served=variant, latency_ms=7500.0)
    return Alert(name=AlertName.SLOW, value=7500.0, threshold=5000.0, at=at, observation=seen)


def slow(variant: str = "base", at: float = NOW, number: int = 1) -> Notice:
    """Return the notice of one slow exchange, as it is told."""
    notice = noticed(single(alert(variant, at, number)), 60.0)
    return told_as(notice, times=1, runbooks=None)


def window(state: State = State.FIRING, *, times: int = 1, **changes: Any) -> Notice:
    """Return the notice that too many requests of a route fail, or no longer, as it is told."""
    notice = Notice(
        key=key_of("error_rate", "support", None, None),
        name="error_rate",
        state=state,
        route="support",
        variant=None,
        value=7.5,
        threshold=5.0,
        unit="percent",
        count=240,
        first_at=NOW - 120.0,
        last_at=NOW,
        ends_at=None if state is State.FIRING else NOW,
        sentence="turnout: 7.5 % of the requests to support failed within 5 minutes",
        request_ids=("req-7", "req-8"),
    )
    return told_as(replace(notice, **changes), times=times, runbooks=None)


def on(route: str, state: State = State.FIRING, **changes: Any) -> Notice:
    """Return the same of another route."""
    return window(state, route=route, key=key_of("error_rate", route, None, None), **changes)
