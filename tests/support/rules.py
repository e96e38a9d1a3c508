"""Prometheus' rules as they stand in dashboards/prometheus, and the metrics they may speak of."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from proxy.sinks.metrics.cells import Histogram
from proxy.sinks.metrics.reference import every_metric

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "dashboards" / "prometheus"
RULES = sorted(FOLDER.glob("*.yaml"))
RULE_TESTS = sorted(FOLDER.glob("tests/*.yaml"))
TARGET = {"job", "instance", "namespace"}  # what a scrape adds, the last in Kubernetes
ALWAYS = {"up": TARGET, "ALERTS": TARGET | {"alertname", "alertstate", "severity", "window"}}

Rule = dict[str, Any]


@cache
def rules() -> list[Rule]:
    """Return all rules of all files, in order."""
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in RULES]
    groups = [group for document in documents for group in document["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[Rule]:
    """Return the rules that alert."""
    return [rule for rule in rules() if "alert" in rule]


def recorded() -> set[str]:
    """Return the names that rules record."""
    return {rule["record"] for rule in rules() if "record" in rule}


@cache
def series() -> dict[str, set[str]]:
    """Return each name that turnout's /metrics has, with the labels it has once it is scraped."""
    found: dict[str, set[str]] = {}
    for family in every_metric().families:
        labels = {*family.labels, *TARGET}
        if isinstance(family, Histogram):
            found[f"{family.name}_bucket"] = labels | {"le"}
            found |= {f"{family.name}_{what}": labels for what in ("count", "sum")}
        else:
            found[family.name] = labels
    return found
