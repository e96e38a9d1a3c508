"""`turnout cost` where there is nothing to ask; a whole turnout's test has what it shows."""

from tests.cli.conftest import Run


def test_without_a_store_it_says_why_there_is_nothing(turnout: Run) -> None:
    result = turnout("cost", "--since", "7d", "--by", "key")
    assert result.exit_code == 1
    assert "`store: off`" in result.stderr


def test_what_is_no_moment_is_refused(turnout: Run) -> None:
    assert turnout("cost", "--since", "lately").exit_code == 2
