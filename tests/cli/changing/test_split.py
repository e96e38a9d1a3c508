import pytest

from tests.cli.conftest import Run
from tests.support.served_admin import ServedAdmin


def test_a_split_is_in_force_and_shown_and_says_why(turnout: Run, admin: ServedAdmin) -> None:
    result = turnout("split", "support", "base=95", "ft-v2=5", "--why", "first users")

    assert (result.exit_code, result.stderr) == (0, "")
    first, *rest = result.stdout.splitlines()
    assert first == "in force on 2/2 workers after 2 ms (version 2)"
    assert [line.split()[:2] for line in rest[1:]] == [["base", "95%"], ["ft-v2", "5%"]]
    current = admin.house.publisher.current
    assert (current.why, current.who, current.source) == ("first users", "ann", "cli")


def test_what_is_so_already_makes_no_version(turnout: Run, admin: ServedAdmin) -> None:
    result = turnout("split", "support", "base=90", "ft-v2=10")

    assert result.exit_code == 0
    assert result.stdout.startswith("nothing to change: version 1 says that already\n")
    assert len(admin.house.versions.kept) == 1


def test_late_workers_are_named(turnout: Run, admin: ServedAdmin) -> None:
    admin.house.late = (1,)

    result = turnout("split", "support", "base=1")

    assert result.exit_code == 0
    assert "worker 1 did not acknowledge in time" in result.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("split support", "name at least one variant"),
        ("split support base", "'base' is not of the form VARIANT=WEIGHT"),
        ("split support base=1 base=2", "'base' has two weights"),
        ("split support base=-1", "the weight of 'base' must be a number, 0 or above"),
        ("split support base=nan", "must be a number"),
        ("split support base=5%", "must be a number"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(run: Run, words: str, told: str) -> None:
    result = run(*words.split(), "--admin-url", "http://127.0.0.1:1")

    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())
