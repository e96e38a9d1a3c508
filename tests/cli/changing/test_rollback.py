import pytest

from tests.cli.conftest import Run


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
