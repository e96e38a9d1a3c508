"""One file a mistake, in bad/. Each says on the lines themselves what is expected of them:

`# ! PATH: part of the reason -> part of the remedy ! PATH: ...`
"""

import re
from pathlib import Path

import pytest

from proxy.config.check import check
from proxy.config.source import Problem

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))
CANARY = "canary"
ENVIRON = {"CANARY": CANARY, "BROKEN_TEXT": f"{CANARY}\udcff"}


def expected(file: Path) -> list[tuple[int, str, str, str]]:
    """Return line, path, reason and remedy of each problem that the file announces."""
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        for note in re.split(r"(?:#| )\s*! ", line)[1:]:
            path, _, told = note.partition(": ")
            reason, _, remedy = told.partition(" -> ")
            found.append((number, path, reason.strip(), remedy.strip()))
    return found


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_exactly_the_mistakes_of_a_file_are_found_with_line_path_reason_and_remedy(
    file: Path,
) -> None:
    problems = check(str(file), ENVIRON).problems
    wanted = expected(file)

    assert wanted
    assert sorted((each.line, each.path) for each in problems) == sorted(
        (line, path) for line, path, _, _ in wanted
    ), "\n".join(map(str, problems))
    for line, path, reason, remedy in wanted:
        assert any(fits(each, line, path, reason, remedy) for each in problems), "\n".join(
            map(str, problems)
        )


def fits(problem: Problem, line: int, path: str, reason: str, remedy: str) -> bool:
    return (
        (problem.line, problem.path) == (line, path)
        and reason in problem.reason
        and remedy in problem.remedy
    )


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_no_problem_repeats_a_value_that_may_be_a_secret(file: Path) -> None:
    told = "\n".join(map(str, check(str(file), ENVIRON).problems))

    assert CANARY not in told.replace(str(file), "")


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_every_problem_has_a_reason_and_a_remedy_in_plain_words(file: Path) -> None:
    for problem in check(str(file), ENVIRON).problems:
        assert problem.reason
        assert problem.remedy
        assert problem.line >= 1
        assert problem.column >= 1
        assert not re.search(
            r"pydantic|ValidationError|Traceback|\bNone\b|\bdict\b|\bstr\b", str(problem)
        )
