"""What is asked at each scrape of alerts over windows: which of them fire."""

from collections import Counter
from collections.abc import Callable, Iterable

from proxy.sinks.metrics.cells import Labels, Reading
from proxy.sinks.metrics.names import OTHER

Facts = tuple[str, str | None, str | None, bool]  # alert, route, variant, whether it is silenced


def labels(fires: Facts) -> Labels:
    """Return an alert's label values; where there is no route or variant, the word for others."""
    alert, route, variant, silenced = fires
    return alert, route or OTHER, variant or OTHER, "true" if silenced else "false"


def alert_readings(firing: Callable[[], Iterable[Facts]]) -> list[Reading]:
    """Return how many alerts fire, of those that `firing` returns; any thread may ask."""

    def counted() -> list[tuple[Labels, float]]:
        return [(labels(each), count) for each, count in Counter(firing()).items()]

    return [
        Reading(
            "turnout_alerts_firing",
            "Alerts over windows that fire; there is none where none does. silenced is true where"
            " nobody is told.",
            ("alert", "route", "variant", "silenced"),
            counted,
        )
    ]
