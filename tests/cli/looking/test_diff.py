from tests.cli.conftest import Run


def test_two_versions_are_compared_or_one_with_that_in_force(turnout: Run) -> None:
    turnout("split", "support", "base=95", "ft-v2=5")

    result = turnout("diff", "1", "2")

    assert result.exit_code == 0
    assert result.stdout == (
        "~ routes.support.split.base: 90.0 -> 95.0\n~ routes.support.split.ft-v2: 10.0 -> 5.0\n"
    )
    assert turnout("diff", "1").stdout == result.stdout
    assert turnout("diff", "2", "2").stdout == "versions 2 and 2 say the same\n"
