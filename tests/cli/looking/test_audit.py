from tests.cli.conftest import Run


def test_what_was_done_and_what_was_refused_is_listed_the_newest_first(turnout: Run) -> None:
    turnout("split", "support", "base=95", "ft-v2=5", "--why", "first users")
    turnout("split", "support", "base=1", "ft-v9=1")

    result = turnout("audit")

    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[6] for line in lines[1:3]] == ["refused", "done"]
    assert "first users" in lines[2]
    assert "There are more: turnout audit --before 3" in turnout("audit", "--limit", "1").stdout
