"""Rules over windows: a route's own, else as said for all, else as they usually are."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from proxy.alerting.windows import DEFAULTS, USUAL, Rule, WindowAlert
from proxy.config.compile import load_settings
from proxy.config.schema.windows import NAMES, THRESHOLDS
from proxy.config.settings import Alerts

HEAD = "upstreams: {sim: {base_url: http://sim/v1}}\nroutes:\n"
ROUTE = "  support: {variants: {base: {upstream: sim}}, alerts: {%s}}\n"
Compile = Callable[..., Alerts]
ERRORS, WORSE = USUAL[WindowAlert.ERROR_RATE], USUAL[WindowAlert.WORSE_THAN_BASELINE]


@pytest.fixture
def compiled(tmp_path: Path) -> Compile:
    """Return a file's alerts, by what it says of them for all and on the route `support`."""

    def compile_file(general: str = "", own: str = "") -> Alerts:
        path = tmp_path / "turnout.yaml"
        alerts = f"alerts: {{{general}}}\n" if general else ""
        path.write_text(HEAD + ROUTE % own + alerts, encoding="utf-8")
        return load_settings(str(path), {}).alerts

    return compile_file


def test_where_nothing_is_said_the_defaults_hold(compiled: Compile) -> None:
    alerts = compiled()
    assert (alerts.windows, alerts.window_routes) == (DEFAULTS, {})
    assert alerts == Alerts()


def test_each_rule_has_a_setting_of_its_name_and_a_threshold() -> None:
    assert set(NAMES) == set(WindowAlert) == set(USUAL)
    assert set(THRESHOLDS) == set(WindowAlert) - {"no_traffic"}


def test_what_is_not_said_of_a_rule_is_as_usual(compiled: Compile) -> None:
    said = "error_rate: {percent: 1}, worse_than_baseline: off, no_traffic: {}, "
    said += "cost_per_hour: {usd: 12.5, window_seconds: 3600}"
    assert compiled(said).windows == (
        replace(ERRORS, threshold=1.0),
        replace(USUAL[WindowAlert.COST_PER_HOUR], threshold=12.5, window_seconds=3600.0),
        USUAL[WindowAlert.NO_TRAFFIC],
    )


def test_what_a_route_does_not_say_is_as_it_is_said_for_all(compiled: Compile) -> None:
    alerts = compiled(
        "error_rate: {percent: 1, for_seconds: 0}, no_traffic: {}",
        "error_rate: {min_requests: 5}, latency_p95: {latency_ms: 800}, no_traffic: off",
    )
    assert alerts.window_routes == {
        "support": (
            replace(ERRORS, threshold=1.0, for_seconds=0.0, min_requests=5),
            Rule(name=WindowAlert.LATENCY_P95, threshold=800.0),
            WORSE,
        )
    }


def test_a_route_may_switch_on_what_is_off_for_all(compiled: Compile) -> None:
    alerts = compiled("error_rate: off", "error_rate: {percent: 50}")
    assert alerts.windows == (WORSE,)
    assert alerts.window_routes["support"] == (replace(ERRORS, threshold=50.0), WORSE)


def test_a_route_that_speaks_of_single_exchanges_only_has_no_rules_of_its_own(
    compiled: Compile,
) -> None:
    assert compiled("", "slow: off").window_routes == {}
