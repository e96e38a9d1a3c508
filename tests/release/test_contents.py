"""A package that lacks a file, or has one that nobody meant to ship, is no release."""

import sys
from pathlib import Path

import pytest

from release.build import same
from release.contents import sdist_problems, wheel_problems
from release.running import Failed, run

CODE = {
    "proxy/py.typed",
    "proxy/__main__.py",
    "proxy/cli/root.py",
    "proxy/store/migrations/m0001_versions.py",
}
META = {
    f"turnout-1.0.dist-info/{name}"
    for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
}
REPOSITORY = CODE | {"README.md", ".ci/run", ".gitignore", ".github/workflows/test.yaml"}


def test_a_wheel_has_the_package_and_its_description_and_nothing_else() -> None:
    assert wheel_problems(CODE | META, REPOSITORY) == []
    assert wheel_problems(CODE | META | {"tests/x.py", "proxy/notes.txt"}, REPOSITORY) == [
        "the wheel has proxy/notes.txt",
        "the wheel has tests/x.py",
    ]


@pytest.mark.parametrize("missing", sorted(CODE))
def test_a_wheel_without_a_file_of_the_package_is_named_with_it(missing: str) -> None:
    problems = wheel_problems((CODE | META) - {missing}, REPOSITORY)
    assert problems[0] == f"the wheel lacks {missing}"


def test_a_wheel_of_a_repository_that_lost_what_is_needed_is_no_release() -> None:
    without = CODE - {"proxy/py.typed"}
    assert wheel_problems(without | META, without) == [
        r"the wheel has nothing like proxy/py\.typed"
    ]


def test_an_sdist_is_the_repository() -> None:
    inside = REPOSITORY | {"PKG-INFO"}
    assert sdist_problems(inside, REPOSITORY) == []
    assert sdist_problems(inside - {".ci/run"} | {"a.log"}, REPOSITORY) == [
        "the sdist lacks .ci/run",
        "the sdist has a.log",
    ]


def test_two_builds_that_differ_in_a_byte_are_not_the_same(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"a")
    other.write_bytes(b"a")
    same(one, other, "a second build")
    other.write_bytes(b"b")
    with pytest.raises(Failed, match="a second build made another one"):
        same(one, other, "a second build")


def test_a_program_that_fails_is_quoted() -> None:
    with pytest.raises(Failed, match=r"ended with 1:\n(?s:.*)No module named"):
        run(sys.executable, "-m", "release.nothing")
