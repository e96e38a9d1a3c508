import pytest

from tests.cli.conftest import Run


def test_a_name_with_a_slash_is_a_name(turnout: Run) -> None:
    assert turnout("pin", "org/chat", "alice=base").exit_code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("pin support alice", "write it like alice=ft-v2"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(run: Run, words: str, told: str) -> None:
    result = run(*words.split(), "--admin-url", "http://127.0.0.1:1")

    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())
