from tests.cli.conftest import Run


def test_a_version_is_shown_with_its_contents(turnout: Run) -> None:
    turnout("split", "support", "base=95", "ft-v2=5", "--why", "first users")

    result = turnout("version", "show", "2")

    assert result.exit_code == 0
    assert "# version 2, in force" in result.stdout
    assert "# first users" in result.stdout
    assert "base: 95.0" in result.stdout


def test_a_version_that_never_was_is_refused_with_those_there_are(turnout: Run) -> None:
    result = turnout("version", "show", "9")

    assert result.exit_code == 1
    assert result.stderr == "turnout: There is no version 9; they go from 1 to 1.\n"
    assert turnout("version", "show", "0").exit_code == 2
