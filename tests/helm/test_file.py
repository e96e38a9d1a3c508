"""turnout.yaml on its way into pods: word for word, and good in turnout's own eyes."""

from pathlib import Path

import pytest
import yaml

from proxy.config.check import check
from tests.helm.chart import SCENARIOS, Helm, Refused, render, scenario

WRITTEN = """\

  # Indented, with a blank line before; z comes first, and is the baseline; {{ not Helm's }}.
  upstreams: {a: {base_url: "http://a/v1", api_key: ${KEY:-a, b}, headers: {x: $$5}}}
  routes:
    support:
      variants: {z: {upstream: a}, a: {upstream: a}}
      split: {z: 1, a: 10000000}

  drain_grace_seconds: 1
"""


def test_it_arrives_as_it_was_written_to_the_last_blank(each_helm: Helm) -> None:
    assert render(each_helm, config=WRITTEN).file().rstrip() == WRITTEN.rstrip()


def test_it_can_be_taken_from_the_file_that_was_checked(each_helm: Helm, tmp_path: Path) -> None:
    file = tmp_path / "turnout.yaml"
    file.write_text(WRITTEN)
    assert render(each_helm, "--set-file", f"config={file}").file().rstrip() == WRITTEN.rstrip()


def test_a_longer_grace_is_added_where_it_says_none(helm: Helm) -> None:
    file = scenario(helm, "default").file()
    assert yaml.safe_load(file)["drain_grace_seconds"] == 10
    assert "drain_grace_seconds" not in WRITTEN.replace("drain_grace_seconds: 1", "")
    assert scenario(helm, "tls").file().count("drain_grace_seconds") == 1


def test_the_number_of_the_release_can_be_its_revision(helm: Helm) -> None:
    assert yaml.safe_load(scenario(helm, "default").file()).get("revision") is None
    assert "\nrevision: 1\n" in scenario(helm, "postgresql").file() + "\n"
    with pytest.raises(Refused, match="keep one of the two"):
        render(helm, releaseRevision=True, config="revision: 3\n")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("routes: {a: [}", "config is no turnout.yaml; `turnout check` says more"),
        ("{upstreams: {}}", "config is no turnout.yaml"),  # nothing can be added below
        ("just words", "config is no turnout.yaml"),
    ],
)
def test_what_is_no_file_of_turnouts_is_refused(helm: Helm, config: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        render(helm, config=config)


@pytest.mark.parametrize("name", sorted(set(SCENARIOS) - {"tls"}))  # whose files are nowhere
def test_turnout_finds_no_fault_in_those_of_the_scenarios(
    helm: Helm, name: str, tmp_path: Path
) -> None:
    for file, text in scenario(helm, name).config_map().items():
        (tmp_path / file).write_text(text)
    secrets = {"OPENAI_API_KEY": "sk", "STORE_URL": "postgresql://turnout@database/turnout"}
    assert not check(str(tmp_path / "turnout.yaml"), secrets).problems
