"""The chart as a whole: its numbers, its values, what Helm and Kubernetes say of it."""

import json
import subprocess
from typing import Any

import kubernetes_validate
import pytest
import yaml

from proxy import __version__
from tests.frame.examples import fenced
from tests.frame.source import document
from tests.helm.chart import (
    FOLDER,
    MAJORS,
    SCENARIOS,
    Helm,
    Refused,
    found,
    render,
    scenario,
)

OLDEST, NEWEST = "1.25", kubernetes_validate.latest_version()
# Kinds that a cluster's owner adds, of which Kubernetes has no schema: other tests look at them.
ADDED = {"HTTPRoute", "PodMonitor", "PrometheusRule", "ServiceMonitor"}


def test_the_chart_is_of_the_version_that_it_runs() -> None:
    chart = yaml.safe_load((FOLDER / "Chart.yaml").read_text())
    assert chart["appVersion"] == __version__


@pytest.mark.parametrize("name", SCENARIOS)
def test_helm_finds_no_fault(each_helm: Helm, name: str) -> None:
    command = [str(each_helm), "lint", "--strict", str(FOLDER), "--values", str(SCENARIOS[name])]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout
    assert "0 chart(s) failed" in said.stdout + said.stderr


@pytest.mark.parametrize("name", SCENARIOS)
def test_kubernetes_takes_what_comes_out_strictly(helm: Helm, name: str) -> None:
    for manifest in scenario(helm, name).manifests:
        if manifest["kind"] not in ADDED:
            for version in (OLDEST, NEWEST):
                kubernetes_validate.validate(manifest, version, strict=True)


def test_strictly_means_that_a_member_too_many_is_seen(helm: Helm) -> None:
    pod = render(helm).one("Deployment")
    odd = {**pod, "spec": {**pod["spec"], "replcias": 2}}
    with pytest.raises(kubernetes_validate.ValidationError, match="replcias"):
        kubernetes_validate.validate(odd, OLDEST, strict=True)


def test_both_helms_make_the_same_of_every_scenario() -> None:
    helms = [program for program in map(found, MAJORS) if program]
    if len(helms) < len(MAJORS):
        pytest.skip("helm 3 and 4 are not both there: make helms fetches them")
    three, four = helms
    for name in SCENARIOS:
        assert scenario(three, name).manifests == scenario(four, name).manifests


def test_every_value_is_explained_beside_it_and_has_a_type() -> None:
    text = (FOLDER / "values.yaml").read_text()
    assert len(text.splitlines()) <= 300
    values, schema = yaml.safe_load(text), json.loads((FOLDER / "values.schema.json").read_text())
    assert_typed(values, schema)
    for block in text.split("\n\n"):
        assert "# " in block, block


def assert_typed(values: dict[str, Any], schema: dict[str, Any]) -> None:
    for name, value in values.items():
        typed = schema["properties"][name]
        if "properties" in typed:
            assert typed["additionalProperties"] is False, name
            assert_typed(value, typed)
        else:
            assert typed.keys() & {"type", "enum", "oneOf"}, name


@pytest.mark.parametrize(
    "values",
    [
        {"replicaCount": 2},
        {"replicas": "2"},
        {"image": {"tag": 1.5}},
        {"config": {"upstreams": {}}},  # a mapping has no order, and the first variant counts
        {"secretEnv": {"KEY": "the secret itself"}},
        {"image": {"digest": "sha256:short"}},
        {"service": {"type": "Loadbalancer"}},
        {"configFiles": {"..": "a folder"}},
    ],
    ids=str,
)
def test_a_value_that_is_not_one_is_refused(each_helm: Helm, values: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"(?i)values don't meet the specifications of the schema"):
        render(each_helm, **values)


def notes(helm: Helm, *options: str) -> str:
    """Return what Helm says when the chart was installed."""
    install = [str(helm), "install", "turnout", str(FOLDER), "--dry-run=client", *options]
    said = subprocess.run(install, capture_output=True, text=True, check=True).stdout
    return said.partition("NOTES:")[2]


def test_the_notes_say_what_to_do_next(helm: Helm) -> None:
    said = notes(helm, "--namespace", "llm")
    assert "http://turnout.llm:8000/v1" in said
    assert "kubectl --namespace llm exec deployment/turnout -- turnout status" in said


@pytest.mark.parametrize("name", ["postgresql", "watched"])
def test_the_notes_say_by_which_name_a_gateway_or_an_ingress_leads_to_it(
    helm: Helm, name: str
) -> None:
    assert "https://llm.example.com/v1" in notes(helm, "--values", str(SCENARIOS[name]))


def test_the_values_in_the_documents_are_values(helm: Helm) -> None:
    known = yaml.safe_load((FOLDER / "values.yaml").read_text())
    blocks = [text for kind, text in fenced(document("docs/kubernetes.md")) if kind == "yaml"]
    values = [each for each in map(yaml.safe_load, blocks) if each.keys() <= known.keys()]
    assert len(values) >= 5
    for each in values:
        assert render(helm, **each).manifests
