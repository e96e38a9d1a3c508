"""The forge's workflows: what they call exists, is pinned, and may do no more than it must.

`make workflows` holds them against GitHub's schema, and lets zizmor look for holes.
"""

import re
from fnmatch import fnmatch
from typing import Any

import pytest
import yaml

from tests.frame.source import ROOT, document
from tests.frame.test_documents import make_targets

FOLDER = ".github/workflows"
NAMES = sorted(path.name for path in (ROOT / FOLDER).glob("*"))
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
MAKE = re.compile(r"\bmake ([a-z]+)\b")

Workflow = dict[Any, Any]


def workflow(name: str) -> Workflow:
    read: Workflow = yaml.safe_load(document(f"{FOLDER}/{name}"))
    return read


def jobs(name: str) -> dict[str, Workflow]:
    found: dict[str, Workflow] = workflow(name)["jobs"]
    return found


def said(job: Workflow, word: str) -> list[str]:
    """Return what the steps of a job have under a word."""
    return [step[word] for step in job["steps"] if word in step]


def writes(job: Workflow) -> bool:
    return any(each != "read" for each in job.get("permissions", {}).values())


def test_there_are_workflows_for_test_chart_image_and_release() -> None:
    assert {"test.yaml", "chart.yaml", "image.yaml", "release.yaml"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_action_is_pinned_to_a_commit_and_says_its_version(name: str) -> None:
    used = re.findall(r"uses: (.*)$", document(f"{FOLDER}/{name}"), re.MULTILINE)
    assert used
    assert [each for each in used if not PINNED.match(each)] == []


def test_an_action_has_one_version_in_all_workflows() -> None:
    used = {
        each
        for name in NAMES
        for each in re.findall(r"uses: (.*)$", document(f"{FOLDER}/{name}"), re.MULTILINE)
    }
    assert len({each.partition("@")[0] for each in used}) == len(used)


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_reads_unless_a_job_says_otherwise_and_ends_in_time(name: str) -> None:
    assert workflow(name)["permissions"] == {"contents": "read"}
    assert "concurrency" in workflow(name)
    assert [each for each, job in jobs(name).items() if "timeout-minutes" not in job] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_job_that_may_write_runs_no_code_of_the_repository(name: str) -> None:
    for job in filter(writes, jobs(name).values()):
        assert not any(each.startswith("actions/checkout@") for each in said(job, "uses"))
        assert not any(MAKE.search(line) or ".ci/" in line for line in said(job, "run"))


@pytest.mark.parametrize("name", NAMES)
def test_no_job_has_a_secret_and_no_check_out_leaves_its_token(name: str) -> None:
    assert "secrets." not in document(f"{FOLDER}/{name}")
    for job in jobs(name).values():
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", NAMES)
def test_what_a_workflow_makes_is_a_target(name: str) -> None:
    lines = [line for job in jobs(name).values() for line in said(job, "run")]
    targets = {target for line in lines for target in MAKE.findall(line)}
    assert targets <= set(make_targets())


@pytest.mark.parametrize(("name", "tests"), [("chart.yaml", "helm"), ("image.yaml", "image")])
def test_a_workflow_for_some_changes_looks_at_all_that_its_tests_are_made_of(
    name: str, tests: str
) -> None:
    paths: list[str] = workflow(name)[True]["pull_request"]["paths"]  # YAML's `on` is a truth
    used = {
        module.replace(".", "/") + ".py"
        for file in (ROOT / "tests" / tests).glob("*.py")
        for module in re.findall(r"^from (tests\.[\w.]+) import", file.read_text(), re.MULTILINE)
    }
    used |= {"Makefile", "pyproject.toml", "uv.lock", f"{FOLDER}/{name}"}
    assert sorted(each for each in used if not any(fnmatch(each, path) for path in paths)) == []


def test_the_forge_makes_all_that_ci_makes() -> None:
    """By .ci/run itself, or by the target's name."""
    lines = [line for name in NAMES for job in jobs(name).values() for line in said(job, "run")]
    assert any(line.endswith(".ci/run") for line in lines)
    assert {"dist", "image", "chart", "workflows"} <= {
        each for line in lines for each in MAKE.findall(line)
    }


def test_nothing_is_published_before_all_tests_have_passed() -> None:
    found = jobs("release.yaml")

    def before(name: str) -> set[str]:
        needs = set(found[name].get("needs", []))
        return needs.union(*map(before, needs))

    publishing = [name for name, job in found.items() if "environment" in job]
    assert len(publishing) >= 3
    for name in publishing:
        assert {"test", "packages", "image", "chart", "attest"} <= before(name)
