"""The rules for Prometheus: it takes them, they fire as they say, and speak of what there is."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from math import inf
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.utils import floatToGoString

from proxy.alerting.windows.rules import DEFAULTS, USUAL, WindowAlert
from proxy.exchange.outcome import FAILED, JUDGED, ErrorCode, Outcome
from proxy.quality.signals import Check, Signal
from proxy.sinks.metrics.exchanges import DURATION_BOUNDS, TOKEN_TYPES
from tests.frame.examples import commands, fenced
from tests.frame.source import document
from tests.support.promql import Matcher, ranges, spoken
from tests.support.rules import (
    ALWAYS,
    ROOT,
    RULE_TESTS,
    RULES,
    Rule,
    alerts,
    recorded,
    rules,
    series,
)

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (apt install prometheus)"
)
ANNOTATIONS = {"summary", "description", "runbook_url"}
WINDOW = re.compile(r"(?:ratio|rate|increase|p\d+_|minute|hour|low|high)(\d+[mhd])$")
COMPLETED = frozenset({Outcome.COMPLETED})
CLIENT_STAYED = frozenset(Outcome) - {Outcome.CLIENT_GONE}
VALUES: dict[str, Iterable[str]] = {
    "outcome": Outcome,
    "error_code": ["", *ErrorCode],
    "error_type": ["", *ErrorCode],
    "signal": Signal,
    "result": [*Check, "sent", "failed", "dropped"],
    "gen_ai_token_type": TOKEN_TYPES,
    "role": ["baseline", "candidate"],
    "state": ["in_force", "behind", "silent"],
    "reason": ["draining", "side_effects", "concurrency", "upstream_ejected", "upstream_busy"],
    "le": [*map(floatToGoString, DURATION_BOUNDS)],
}


def name(rule: Rule) -> str:
    """Return what a rule is called."""
    return str(rule.get("record") or f"{rule['alert']} {rule['labels'].get('window', '')}")


def promtool(*words: str | Path) -> str:
    """Return what promtool says; it is to be content."""
    done = subprocess.run(
        ["promtool", *words], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_promtool
def test_prometheus_takes_the_rules() -> None:
    assert "SUCCESS" in promtool("check", "rules", "--lint=all", "--lint-fatal", *RULES)


@needs_promtool
@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_each_alert_fires_when_it_should_and_says_what_is_so(path: Path) -> None:
    assert "SUCCESS" in promtool("test", "rules", path)


def shown() -> list[dict[str, Any]]:
    """Return every look at an alert in the tests for promtool."""
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in RULE_TESTS]
    tests = [test for document in documents for test in document["tests"]]
    return [look for test in tests for look in test.get("alert_rule_test", ())]


def test_each_alert_is_shown_with_all_it_says_and_shown_to_hold_its_tongue() -> None:
    looks = shown()
    for alert in alerts():
        found = [look["exp_alerts"] for look in looks if look["alertname"] == alert["alert"]]
        fired = [each for exp_alerts in found for each in exp_alerts]
        said = [
            each["exp_annotations"]
            for each in fired
            if alert["labels"].items() <= each["exp_labels"].items()
        ]
        assert [] in found, name(alert)
        assert said, name(alert)
        assert all(set(annotations) == ANNOTATIONS for annotations in said), name(alert)


def test_each_alert_says_how_bad_it_is_and_what_to_do() -> None:
    for alert in alerts():
        assert re.fullmatch(r"Turnout[A-Z]\w+", alert["alert"])
        assert alert["labels"]["severity"] in ("critical", "warning"), name(alert)
        assert set(alert["annotations"]) == ANNOTATIONS, name(alert)
        assert (ROOT / alert["annotations"]["runbook_url"]).is_file(), name(alert)


def test_what_a_rule_speaks_of_is_there() -> None:
    labels = series() | ALWAYS
    every = set().union(*labels.values())
    for rule in rules():
        said = spoken(rule["expr"])
        assert said.selectors, name(rule)
        assert said.grouping <= every, name(rule)
        for selector in said.selectors:
            assert selector.metric in labels.keys() | recorded(), name(rule)
            picked = {matcher.label for matcher in selector.matchers}
            assert picked <= labels.get(selector.metric, {"route"}), name(rule)


def matchers(rule: Rule) -> list[Matcher]:
    """Return all conditions on labels in a rule."""
    selectors = spoken(rule["expr"]).selectors
    return [matcher for selector in selectors for matcher in selector.matchers]


def test_a_rule_picks_values_that_its_labels_have() -> None:
    for rule in rules():
        for matcher in matchers(rule):
            if matcher.label in VALUES:
                picked = [matcher.picks(value) for value in VALUES[matcher.label]]
                assert {*picked} == {True, False}, name(rule)


def outcomes(rule: Rule) -> set[frozenset[Outcome]]:
    """Return the sets of outcomes that a rule counts."""
    found = [matcher for matcher in matchers(rule) if matcher.label == "outcome"]
    return {frozenset(filter(matcher.picks, Outcome)) for matcher in found}


def test_what_failed_and_what_is_judged_is_the_same_as_everywhere_in_turnout() -> None:
    for rule in rules():
        assert outcomes(rule) <= {FAILED, JUDGED, COMPLETED, CLIENT_STAYED}, name(rule)
        if "failed" in rule.get("record", "") and "turnout_requests_total" in rule["expr"]:
            assert FAILED in outcomes(rule), name(rule)


def test_a_recorded_window_is_the_one_in_its_name() -> None:
    for rule in rules():
        if "record" in rule:
            window = WINDOW.search(rule["record"])
            assert ranges(rule["expr"]) <= ({window[1]} if window else set()), name(rule)


THRESHOLD = re.compile(
    r"- record: turnout_threshold:(\w+)\n +expr: (\S+) \* turnout:routes(?:  # (\S+), say)?$",
    re.MULTILINE,
)
THRESHOLDS = {
    found[1]: (float(found[2]), float(found[3] or found[2]))
    for found in THRESHOLD.finditer(document("dashboards/prometheus/thresholds.yaml"))
}  # what each is, and what is a good start where it is off


SHARES: dict[WindowAlert, str] = {
    WindowAlert.ERROR_RATE: "error_ratio",
    WindowAlert.SHORT_RATE: "short_ratio",
    WindowAlert.FORMAT_FAILURES: "format_broken_ratio",
    WindowAlert.REFUSALS: "refusal_ratio",
}
TIMES: dict[WindowAlert, str] = {
    WindowAlert.LATENCY_P95: "latency_p95_seconds",
    WindowAlert.TTFT_P95: "ttft_p95_seconds",
}
OTHERS: dict[WindowAlert, str] = {
    WindowAlert.TOKENS_PER_MINUTE: "tokens_per_minute",
    WindowAlert.COST_PER_HOUR: "cost_usd_per_hour",
    WindowAlert.WORSE_THAN_BASELINE: "worse_factor",
}


def test_the_thresholds_are_those_of_the_rules_over_windows() -> None:
    on = {rule.name for rule in DEFAULTS}
    for alert, threshold in (SHARES | TIMES | OTHERS).items():
        ours = USUAL[alert].threshold / (100 if alert in SHARES else 1000 if alert in TIMES else 1)
        assert THRESHOLDS[threshold] == (ours if alert in on else inf, ours), alert
    fewest = {alert: rule.min_requests for alert, rule in USUAL.items()}
    assert THRESHOLDS["traffic_requests"][1] == fewest[WindowAlert.NO_TRAFFIC]
    for alert in SHARES | TIMES:
        assert THRESHOLDS["requests"][0] == fewest[alert]
    assert THRESHOLDS["compared_requests"][0] == fewest[WindowAlert.WORSE_THAN_BASELINE]


def test_prometheus_has_each_of_the_rules_over_windows_under_its_name() -> None:
    names = {alert["alert"] for alert in alerts()}
    assert {f"Turnout{rule.title().replace('_', '')}" for rule in WindowAlert} <= names


@needs_promtool
def test_they_are_installed_as_the_page_says(tmp_path: Path) -> None:
    page = document("docs/prometheus.md")
    blocks = [block for language, block in fenced(page) if language == "yaml"]
    (tmp_path / "prometheus.yml").write_text(blocks[0], encoding="utf-8")
    copies = tmp_path / "turnout"
    copies.mkdir()
    for path in RULES:
        shutil.copy(path, copies)
    assert "5 rule files" in promtool("check", "config", tmp_path / "prometheus.yml")
    (command,) = commands(page, "sed")
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    found = [
        line.strip()
        for path in copies.iterdir()
        for line in path.read_text(encoding="utf-8").splitlines()
        if "runbook_url" in line
    ]
    assert found
    assert all(line.startswith("runbook_url: https://example.com/turnout/") for line in found)


ONE_ROUTE = """\
rule_files: [rules.yaml]
tests:
  - interval: 1m
    input_series:
      - {series: 'turnout:routes{job="turnout", route="reasoning"}', values: '1x2'}
      - {series: 'turnout:routes{job="turnout", route="support"}', values: '1x2'}
    promql_expr_test:
      - expr: turnout_threshold:latency_p95_seconds
        eval_time: 1m
        exp_samples:
          - {labels: 'turnout_threshold:latency_p95_seconds{job="turnout", route="reasoning"}', value: 60}
          - {labels: 'turnout_threshold:latency_p95_seconds{job="turnout", route="support"}', value: 10}
"""  # noqa: E501  # as promtool wants it


@needs_promtool
def test_one_route_can_have_a_threshold_of_its_own_as_the_page_says(tmp_path: Path) -> None:
    blocks = [block for _, block in fenced(document("docs/prometheus.md"))]
    (rule,) = (yaml.safe_load(block) for block in blocks if block.startswith("- record:"))
    groups = {"groups": [{"name": "thresholds", "rules": rule}]}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(groups), encoding="utf-8")
    (tmp_path / "test.yaml").write_text(ONE_ROUTE, encoding="utf-8")
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "test.yaml")
