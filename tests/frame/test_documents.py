"""What the documents say is so: commands exist, dependencies have reasons, versions agree."""

import re
import shlex
import tomllib
from contextlib import suppress
from itertools import chain
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import proxy
from proxy.cli import main
from proxy.config.schema import Admin, File, Log, Part
from proxy.controlplane.publishing.in_force import FIXED
from tests.frame.examples import commands, fenced, parse
from tests.frame.source import ROOT, document, modules

DOCUMENTS = sorted(
    str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
)
ROUTING = {"routes", "default_upstream", "pass_unknown_models", "revision"}
INLINE = re.compile(r"`(turnout [^`]+)`")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


TURNOUT = [(name, line) for name in DOCUMENTS for line in commands(document(name), "turnout")]
MAKE = [(name, line) for name in DOCUMENTS for line in commands(document(name), "make")]


@pytest.mark.parametrize(("name", "line"), TURNOUT)
def test_a_command_in_the_documents_is_understood(
    name: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "turnout.yaml").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line, comments=True)
    parse(main, words[1:])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_command_in_a_sentence_is_understood(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in INLINE.findall(document(name)):
        words = ["1" if word == "N" else word for word in shlex.split(line)]
        with suppress(click.MissingParameter, click.exceptions.NoArgsIsHelpError):
            parse(main, words[1:])  # a sentence may name a command without all that it needs


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if "/runbooks/" in name])
def test_who_runs_a_runbook_from_top_to_bottom_does_not_undo_what_helped(name: str) -> None:
    """A rollback takes the latest change back, so it comes before all others of a page."""
    words = [shlex.split(line, comments=True)[1] for line in commands(document(name), "turnout")]
    changes = [word for word in words if word in ("rollback", "split", "variant")]
    assert "rollback" not in changes[changes.count("rollback") :]


@pytest.mark.parametrize(("name", "line"), MAKE)
def test_a_make_target_in_the_documents_exists(name: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    targets = {word for word in words if not word.startswith("-") and "=" not in word}
    assert targets <= set(make_targets())


CONFIGURATIONS = [
    (name, block)
    for name in DOCUMENTS
    for language, block in fenced(document(name))
    if language == "yaml" and re.search(r"^upstreams:", block, re.MULTILINE)
]


@pytest.mark.parametrize(("name", "block"), CONFIGURATIONS)
def test_a_configuration_in_the_documents_is_a_good_one(
    name: str, block: str, tmp_path: Path
) -> None:
    path = tmp_path / "turnout.yaml"
    path.write_text(block, encoding="utf-8")
    secrets = dict.fromkeys(re.findall(r"\$\{(\w+)\}", block), "https://example.com/secret")
    result = CliRunner().invoke(main, ["check", str(path)], env=secrets)
    assert result.exit_code == 0, result.output


def test_what_ci_installs_is_explained() -> None:
    needs = re.search(r"^needs=\((.*)\)$", document(".ci/run"), re.MULTILINE)
    assert needs
    programs = {need.partition(":")[0] for need in needs[1].split()}
    page = document("docs/dependencies.md")
    assert sorted(name for name in programs if f"`{name}`" not in page) == []


def make_targets() -> dict[str, str]:
    """Return the Makefile's targets and what `make help` says of each."""
    found = re.findall(r"^([a-z]+):[^=\n]*?(?:## (.*))?$", document("Makefile"), re.MULTILINE)
    return {target: said for target, said in found if target}


def test_every_make_target_is_explained_by_help_and_in_contributing() -> None:
    text = document("CONTRIBUTING.md")
    for target, said in make_targets().items():
        assert said, f"{target} has no description"
        assert f"make {target}" in text, target


def test_every_dependency_has_its_reason_and_nothing_else_has() -> None:
    project = tomllib.loads(document("pyproject.toml"))
    groups = project["dependency-groups"].values()
    wanted = [*project["project"]["dependencies"], *chain.from_iterable(groups)]
    names = {re.split(r"[\[><=;!~ ]", line, maxsplit=1)[0].lower() for line in wanted}
    page = document("docs/dependencies.md").partition("## Programs")[0]
    reasons = dict(re.findall(r"^\| `([\w.-]+)`[^|]*\| (.+?) \|$", page, re.MULTILINE))
    assert set(reasons) == names
    assert all(len(reason) > 20 for reason in reasons.values())


def test_the_rooms_that_are_pure_are_the_rooms_that_are_covered_whole() -> None:
    contracts = tomllib.loads(document("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    pure = next(contract for contract in contracts if contract["id"] == "pure")
    covered = re.search(r"^ROOMS := (.*)$", document("Makefile"), re.MULTILINE)
    assert covered
    rooms = {f"proxy.{room}" for room in covered[1].split()}
    assert rooms | {"proxy.errors"} == set(pure["source_modules"])


def test_the_page_says_of_every_setting_whether_it_takes_a_restart() -> None:
    page = document("docs/operating.md")

    def listed(beginning: str) -> set[str]:
        sentence = re.split(r"\.\s", page[page.index(f"- {beginning}") :], maxsplit=1)[0]
        return set(re.findall(r"`([a-z_.]+)`", sentence))

    inside: dict[str, type[Part]] = {"admin": Admin, "log": Log}
    every = set(File.model_fields) - set(inside)
    every |= {f"{name}.{each}" for name, part in inside.items() for each in part.model_fields}
    restart = listed("With a restart")
    assert restart == set(FIXED)
    assert listed("In place") == every - restart - ROUTING


def test_links_between_documents_lead_somewhere() -> None:
    missing = [
        (name, target)
        for name in DOCUMENTS
        for target in LINK.findall(document(name))
        if not (ROOT / name).parent.joinpath(target).exists()
    ]
    assert missing == []


def test_the_changelog_has_this_version() -> None:
    assert re.search(
        rf"^## \[{re.escape(proxy.__version__)}\]", document("CHANGELOG.md"), re.MULTILINE
    )


def test_the_map_names_every_room() -> None:
    page = document("docs/architecture.md")
    rooms = {module.name.split(".")[1] for module in modules() if module.name.count(".") == 2}
    assert [room for room in sorted(rooms) if f"{room}/" not in page] == []


GLOSSARY = re.findall(
    r"^\| \*\*(.+?)\*\* \| (.+?) \|(.*)\|$", document("docs/glossary.md"), re.MULTILINE
)


def test_no_name_in_the_source_uses_a_word_that_the_glossary_avoids() -> None:
    """Names of functions, classes and arguments; the avoided words stand in back-ticks."""
    avoided = {word for row in GLOSSARY for word in re.findall(r"`(\w+)`", row[2])}
    assert avoided
    found = [
        f"{module.name}: {name}"
        for module in modules()
        for name in _names(module.text)
        if avoided & set(_words(name))
    ]
    assert found == []


def _names(text: str) -> list[str]:
    return re.findall(r"^\s*(?:async def|def|class) (\w+)", text, re.MULTILINE)


def _words(name: str) -> list[str]:
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().split("_")
