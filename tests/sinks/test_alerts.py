"""Alerts over windows in the metrics: counted when they begin, shown while they fire."""

from typing import Any

from prometheus_client import CollectorRegistry

from proxy.alerting.notice import Notice, State
from proxy.sinks.metrics import Metrics, Names
from proxy.sinks.metrics.counted import alert_readings
from tests.support.routes import route, table


def notice(**said: Any) -> Notice:
    facts: dict[str, Any] = {
        "key": "k",
        "name": "error_rate",
        "state": State.FIRING,
        "route": "support",
        "variant": "base",
        "value": 9.0,
        "threshold": 5.0,
        "unit": "%",
        "first_at": 0.0,
        "last_at": 0.0,
        "sentence": "",
    }
    return Notice(**(facts | said))


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, labels)


def test_what_begins_to_fire_is_counted_and_what_fires_is_shown() -> None:
    names = Names()
    names.adopt(table(route({"base": 1, "ft-v2": 1})), [])
    firing: list[tuple[str, str | None, str | None, bool]] = []
    metrics = Metrics(names, alert_readings(lambda: firing))
    registry = metrics.registry()
    said = {"alert": "error_rate", "route": "support", "variant": "base"}
    metrics.fired(notice())
    metrics.fired(notice(name="no_traffic", variant=None))
    metrics.fired(notice(name="no_traffic", route=None, variant=None))
    assert value(registry, "turnout_alerts_total", **said) == 1
    quiet = {"alert": "no_traffic", "route": "support", "variant": "other"}
    assert value(registry, "turnout_alerts_total", **quiet) == 1
    assert value(registry, "turnout_alerts_total", **(quiet | {"route": "other"})) == 1

    assert value(registry, "turnout_alerts_firing", **said, silenced="false") is None
    worse = ("worse_than_baseline", "support", "ft-v2", True)
    firing += [("error_rate", "support", "base", False), worse, worse]
    firing.append(("no_traffic", None, None, False))
    assert value(registry, "turnout_alerts_firing", **said, silenced="false") == 1
    two = {"alert": worse[0], "route": "support", "variant": "ft-v2", "silenced": "true"}
    assert value(registry, "turnout_alerts_firing", **two) == 2
    none = {"alert": "no_traffic", "route": "other", "variant": "other", "silenced": "false"}
    assert value(registry, "turnout_alerts_firing", **none) == 1
