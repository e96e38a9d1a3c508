"""What watches the pods: how Prometheus finds them."""

import re

import pytest

from tests.helm.chart import Helm, Refused, Rendered, render, scenario


def selected(chart: Rendered, kind: str) -> dict[str, str]:
    labels: dict[str, str] = chart.one(kind)["spec"]["selector"]["matchLabels"]
    return labels


def test_a_service_monitor_finds_the_service_of_administration_alone(helm: Helm) -> None:
    chart = scenario(helm, "watched")
    monitor = chart.one("ServiceMonitor")
    labels = selected(chart, "ServiceMonitor").items()
    found = [each for each in chart.of("Service") if labels <= each["metadata"]["labels"].items()]
    assert [each["metadata"]["name"] for each in found] == ["turnout-admin"]
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["endpoints"] == [
        {"port": "admin", "path": "/metrics", "interval": "15s"}
    ]
    assert monitor["spec"]["endpoints"][0]["port"] in [
        each["name"] for each in found[0]["spec"]["ports"]
    ]


def test_a_pod_monitor_finds_the_pods(helm: Helm) -> None:
    chart = scenario(helm, "postgresql")
    labels = selected(chart, "PodMonitor").items()
    assert labels <= chart.pod()["metadata"]["labels"].items()
    assert chart.one("PodMonitor")["spec"]["podMetricsEndpoints"] == [
        {"port": "admin", "path": "/metrics", "interval": "15s"}
    ]


@pytest.mark.parametrize("kind", ["serviceMonitor", "podMonitor"])
def test_the_job_is_called_turnout_whatever_the_release_is(helm: Helm, kind: str) -> None:
    chart = render(helm, release="llm", fullnameOverride="proxy", **{kind: {"enabled": True}})
    monitor = chart.one(kind[0].upper() + kind[1:])
    assert monitor["spec"]["jobLabel"] == "app.kubernetes.io/name"
    assert chart.pod()["metadata"]["labels"]["app.kubernetes.io/name"] == "turnout"


def test_a_scrape_that_finds_nothing_or_everything_twice_is_refused(helm: Helm) -> None:
    on = {"enabled": True}
    with pytest.raises(Refused, match="adminService, which is off"):
        render(helm, serviceMonitor=on, adminService={"enabled": False})
    with pytest.raises(Refused, match="keep one of the two"):
        render(helm, serviceMonitor=on, podMonitor=on)


def test_none_of_them_is_there_unless_asked_for(helm: Helm) -> None:
    kinds = {kind for kind, _ in scenario(helm, "default").names()}
    assert not [kind for kind in kinds if re.search("Monitor|Rule|Ingress|Policy", kind)]
