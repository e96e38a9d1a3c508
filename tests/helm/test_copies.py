"""Alert rules and dashboards: the chart has the repository's own, and hands them on untouched."""

import json

import pytest
import yaml

from tests.helm.chart import FOLDER, ROOT, Helm, Refused, render, scenario

LARGEST = 1_000_000  # bytes of a ConfigMap, which Kubernetes keeps below 1 MiB


def test_rules_reach_prometheus_as_they_stand_in_the_repository(helm: Helm) -> None:
    chart = scenario(helm, "watched")
    sources = sorted((FOLDER / "files/prometheus").glob("*.yaml"))
    assert sources
    for source in sources:
        rule = chart.one("PrometheusRule", f"turnout-{source.stem}")
        assert rule["spec"] == yaml.safe_load(source.read_text())
        assert rule["metadata"]["labels"]["release"] == "prometheus"
    said = json.dumps([each["spec"] for each in chart.of("PrometheusRule")])
    assert "{{ $labels." in said  # Prometheus' own templates, which Helm leaves alone


def test_dashboards_reach_grafanas_sidecar_as_they_stand_in_the_repository(helm: Helm) -> None:
    chart = scenario(helm, "watched")
    sources = sorted((FOLDER / "files/dashboards").glob("*.json"))
    assert sources
    for source in sources:
        made = chart.one("ConfigMap", f"turnout-dashboard-{source.stem}")
        assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert made["metadata"]["annotations"] == {"grafana_folder": "turnout"}
        text = made["data"][f"turnout-{source.name}"]
        assert len(text.encode()) < LARGEST
        assert json.loads(text) == json.loads(source.read_text())


@pytest.mark.parametrize(
    ("source", "copies"),
    [("dashboards/*.json", "dashboards"), ("dashboards/prometheus/*.yaml", "prometheus")],
)
def test_they_are_those_of_the_repository(source: str, copies: str) -> None:
    there = {file.name: file.read_bytes() for file in ROOT.glob(source)}
    here = {file.name: file.read_bytes() for file in (FOLDER / "files" / copies).iterdir()}
    assert here == there, "`make copies` makes it so"


def test_links_to_runbooks_can_lead_to_where_they_are_published(helm: Helm) -> None:
    on = {"enabled": True, "runbooks": "https://example.com/runbooks/"}
    said = json.dumps(render(helm, prometheusRule=on).of("PrometheusRule"))
    assert '"runbook_url": "https://example.com/runbooks/down.md"' in said
    assert "docs/runbooks" not in said


def test_thresholds_can_be_ones_own(helm: Helm) -> None:
    own = "groups: [{name: mine, rules: []}]\n"
    rules = render(helm, prometheusRule={"enabled": True, "instead": {"thresholds": own}})
    assert rules.one("PrometheusRule", "turnout-thresholds")["spec"] == yaml.safe_load(own)
    assert len(rules.of("PrometheusRule")) == len(list(FOLDER.glob("files/prometheus/*.yaml")))
    with pytest.raises(Refused, match="there is no files/prometheus/tresholds"):
        render(helm, prometheusRule={"enabled": True, "instead": {"tresholds": own}})
