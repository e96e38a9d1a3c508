"""The two default rules: `slow` and `short`.

Pure: thresholds and an Observation in, alerts out. What a threshold is on which route is
configured elsewhere; whether anybody is told is not decided here.
"""

from collections.abc import Mapping
from typing import Protocol

from proxy import quality
from proxy.alerting.alert import Alert, AlertName
from proxy.exchange.observation import Observation


class Thresholds(Protocol):
    """What the rules need to know of a route; None switches a rule off."""

    @property
    def slow_latency_ms(self) -> float | None:
        """Alert above this many milliseconds."""
        ...

    @property
    def short_reply_chars(self) -> int | None:
        """Alert below this many characters."""
        ...


class Rules:
    """The rules in force: `routes` where a route is named there, `default` elsewhere."""

    def __init__(self, default: Thresholds, routes: Mapping[str, Thresholds]) -> None:
        self._default = default
        self._routes = routes

    def judge(self, observation: Observation) -> tuple[Alert, ...]:
        """Return the alerts that this exchange raises, mostly none.

        A shadow raises none: no client waited for it, or reads what it says.
        """
        if observation.shadow_of is not None:
            return ()
        thresholds = self._routes.get(observation.route or "", self._default)
        found = (
            slow(observation, thresholds.slow_latency_ms),
            short(observation, thresholds.short_reply_chars),
        )
        return tuple(filter(None, found))


def slow(observation: Observation, threshold: float | None) -> Alert | None:
    """Return an alert where a model took longer than `threshold` milliseconds.

    Where no model was asked, the latency says nothing of one.
    """
    if threshold is None or observation.latency_ms <= threshold:
        return None
    if observation.attempts == 0 or observation.dialect == "none":
        return None
    return raised(AlertName.SLOW, observation.latency_ms, threshold, observation)


def short(observation: Observation, threshold: int | None) -> Alert | None:
    """Return an alert where a reply, judged fairly, has fewer characters than `threshold`."""
    if threshold is None or observation.reply_chars is None:
        return None
    if not quality.short(observation, threshold) or quality.by_design(observation):
        return None
    return raised(AlertName.SHORT, observation.reply_chars, threshold, observation)


def raised(name: AlertName, value: float, threshold: float, observation: Observation) -> Alert:
    """Return the alert, dated at the exchange's end."""
    return Alert(
        name=name,
        value=value,
        threshold=threshold,
        at=observation.started_at + observation.latency_ms / 1000.0,
        observation=observation,
    )
