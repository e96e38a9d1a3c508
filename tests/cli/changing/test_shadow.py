import pytest

from tests.cli.conftest import Run
from tests.support.served_admin import ServedAdmin


def test_a_shadow_begins_and_ends(turnout: Run, admin: ServedAdmin) -> None:
    words = ["support", "ft-v2", "--percent", "5", "--timeout-seconds", "10", "--concurrency", "4"]

    told = turnout("shadow", *words).stdout

    assert "shadow: 'ft-v2' gets 5% as well" in told
    assert admin.support()["shadow"] == {
        "variant": "ft-v2",
        "percent": 5.0,
        "timeout_seconds": 10.0,
        "concurrency": 4,
    }
    assert turnout("shadow", "support", "off").exit_code == 0
    assert "shadow" not in admin.support()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("shadow support ft-v2", "--percent P"),
        ("shadow support off --percent 5", "leave out the other options"),
        ("shadow support ft-v2 --percent 101", "--percent"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(run: Run, words: str, told: str) -> None:
    result = run(*words.split(), "--admin-url", "http://127.0.0.1:1")

    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())
