import json

import pytest

from tests.cli.conftest import Run


def test_versions_are_listed_the_newest_first_with_a_star_at_the_one_in_force(
    turnout: Run,
) -> None:
    turnout("split", "support", "base=95", "ft-v2=5", "--why", "first users")

    result = turnout("versions")

    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["version", "*", "1"]
    assert "first users" in result.stdout


def test_pages_follow_one_another(turnout: Run) -> None:
    for weight in "123":
        turnout("split", "support", f"base={weight}", "ft-v2=1")

    first = json.loads(turnout("versions", "--limit", "3", "--json").stdout)
    rest = json.loads(turnout("versions", "--before", str(first["before"]), "--json").stdout)

    numbers = [line["number"] for line in first["versions"] + rest["versions"]]
    assert numbers == [4, 3, 2, 1]


@pytest.mark.parametrize(
    ("words", "member"),
    [
        ("status", "workers"),
        ("versions", "versions"),
        ("version show 1", "contents"),
        ("diff 1 1", "differences"),
        ("audit", "entries"),
    ],
)
def test_each_look_is_to_be_had_as_json(turnout: Run, words: str, member: str) -> None:
    result = turnout(*words.split(), "--json")

    assert (result.exit_code, result.stderr) == (0, "")
    assert member in json.loads(result.stdout)
