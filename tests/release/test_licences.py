"""What turnout runs on is under licences that are allowed, and the page says so."""

from importlib.metadata import Distribution
from pathlib import Path

import pytest

from release.licences import Unknown, licence, page, parts, read, runtime
from tests.frame.source import document


def said(folder: Path, *lines: str) -> str:
    """Return the licence of a package whose METADATA has these lines."""
    text = "\n".join(["Metadata-Version: 2.4", "Name: some", "Version: 1", *lines])
    (folder / "METADATA").write_text(text + "\n", encoding="utf-8")
    return read(Distribution.at(folder).metadata)


def test_every_package_that_turnout_runs_on_has_a_licence_that_is_allowed() -> None:
    assert {name: licence(name) for name in runtime()}


def test_the_page_of_licences_is_what_is_installed() -> None:
    assert document("docs/licences.md") == page(), "make docs writes it again"


def test_what_turnout_runs_on_includes_what_that_runs_on_and_leaves_out_what_only_tests_need() -> (
    None
):
    assert {"fastapi", "starlette", "psycopg-binary", "uvloop"} <= set(runtime())
    assert not {"pytest", "hypothesis", "openai", "twine", "tzdata", "turnout"} & set(runtime())


def test_an_exact_expression_is_believed_before_older_fields(tmp_path: Path) -> None:
    with pytest.raises(Unknown, match=r"some: GPL-3\.0-only"):
        said(tmp_path, "License-Expression: GPL-3.0-only", "License: MIT")


@pytest.mark.parametrize(
    ("line", "expression"),
    [
        ("License-Expression: MIT AND (Apache-2.0 OR 0BSD)", "MIT AND (Apache-2.0 OR 0BSD)"),
        ("License: MIT License\n        \n        Copyright", "MIT"),
        ("Classifier: License :: OSI Approved :: MIT License", "MIT"),
        ("License: see below\nClassifier: License :: OSI Approved :: BSD License", "BSD-3-Clause"),
    ],
)
def test_a_licence_is_read_in_each_of_the_ways_that_packages_say_it(
    tmp_path: Path, line: str, expression: str
) -> None:
    assert said(tmp_path, line) == expression


@pytest.mark.parametrize("words", ["Proprietary", "AGPL-3.0-only", "MIT AND GPL-2.0-only", ""])
def test_a_licence_that_nobody_allowed_is_a_fault(tmp_path: Path, words: str) -> None:
    with pytest.raises(Unknown, match="is not among those allowed"):
        said(tmp_path, f"License: {words}")


def test_a_package_that_is_not_installed_has_no_licence() -> None:
    with pytest.raises(Unknown, match="not installed"):
        licence("turnout-without-this")


def test_an_expression_is_taken_apart_into_its_licences() -> None:
    assert parts("MIT AND (Apache-2.0 OR MPL-2.0)") == {"MIT", "Apache-2.0", "MPL-2.0"}
