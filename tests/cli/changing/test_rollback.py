from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.administered import ADMIN
from tests.support.served_admin import ServedAdmin


def test_a_rollback_goes_back_a_route_or_all_or_to_a_version(turnout: Run) -> None:
    turnout("split", "support", "base=1")
    turnout("split", "support", "ft-v2=1")

    def first(*words: str) -> str:
        return turnout("rollback", *words).stdout.splitlines()[0].partition("(")[2]

    assert first("support") == "version 4 = contents of 2)"
    assert first("--all") == "version 5 = contents of 1)"
    assert first("support", "--to", "3") == "version 6 = contents of 3)"
    assert turnout("rollback", "support", "--to", "9").exit_code == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("rollback", "Name the ROUTE to roll back, or --all"),
        ("rollback support --all", "Name the ROUTE to roll back, or --all"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(run: Run, words: str, told: str) -> None:
    result = run(*words.split(), "--admin-url", "http://127.0.0.1:1")

    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())


@pytest.mark.parametrize("text", ["routes: [", "admin: {listen: nowhere}"])
def test_a_file_that_was_just_spoilt_keeps_nobody_from_going_back(
    run: Run, admin: ServedAdmin, file: Path, text: str
) -> None:
    data = file.parent / "turnout-data"
    data.mkdir()
    (data / "admin.address").write_text(f"{admin.url.removeprefix('http://')} 1\n")
    (data / "admin.token").write_text(f"{ADMIN}\n")
    assert run("split", "support", "base=1").exit_code == 0
    file.write_text(text, encoding="utf-8")

    result = run("rollback", "support")

    assert result.exit_code == 0, result.stderr
    assert "contents of 1" in result.stdout
