from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(run: Run, shell: str) -> None:
    result = run("completion", shell)

    assert result.exit_code == 0
    assert "_TURNOUT_COMPLETE" in result.stdout


def test_another_shell_is_a_usage_error_that_names_those_there_are(run: Run) -> None:
    result = run("completion", "tcsh")

    assert result.exit_code == 2
    assert "bash" in result.stderr


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("turnout ch", ["check"]),
        ("turnout route ", ["explain", "list"]),
        ("turnout route explain by-", ["by-key", "by-chance"]),
        ("turnout route explain --config nowhere.yaml by-", []),
    ],
)
def test_commands_and_routes_are_completed(
    run: Run, file: Path, words: str, found: list[str]
) -> None:
    assert completed(run, words) == found


def test_a_file_that_is_no_use_completes_nothing(run: Run, file: Path) -> None:
    for text in ("- a", "routes: 1", "x: ["):
        file.write_text(text, encoding="utf-8")

        assert completed(run, "turnout route explain ") == []


def completed(run: Run, words: str, **environ: str) -> list[str]:
    """Return what bash is told when it asks how `words` may go on."""
    told = run(
        _TURNOUT_COMPLETE="bash_complete",
        COMP_WORDS=words,
        COMP_CWORD=str(words.count(" ")),
        **environ,
    )
    return [line.partition(",")[2] for line in told.stdout.splitlines() if line]
