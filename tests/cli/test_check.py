import json
from pathlib import Path

from tests.cli.conftest import GOOD, Run

BAD = GOOD.replace("ft-v2: 10", "ft-v3: 10").replace("fallback: [base]", "fallbak: [base]")


def test_a_good_file_is_fine(run: Run, file: Path) -> None:
    result = run("check")

    assert result.exit_code == 0
    assert result.output == "turnout.yaml is fine: 1 upstream, 3 routes.\n"


def test_problems_are_told_with_place_reason_and_remedy(run: Run, folder: Path) -> None:
    (folder / "bad.yaml").write_text(BAD, encoding="utf-8")

    result = run("check", "bad.yaml")

    assert result.exit_code == 1
    assert result.stderr == ""
    assert result.stdout.splitlines() == [
        "bad.yaml:8:23: routes.support.split.ft-v3 is no variant of this route",
        "    did you mean 'ft-v2'?",
        "bad.yaml:9:5: routes.support.fallbak is no setting here",
        "    did you mean 'fallback'?",
        "2 problems.",
    ]


def test_a_problem_with_the_whole_file_says_so(run: Run, folder: Path) -> None:
    (folder / "empty.yaml").write_text("", encoding="utf-8")

    result = run("check", "empty.yaml")

    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == "empty.yaml:1:1: the file is empty"
    assert result.stdout.splitlines()[-1] == "1 problem."


def test_a_file_that_cannot_be_read_is_exit_code_2_on_stderr(run: Run) -> None:
    result = run("check", "nowhere.yaml")

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == "turnout: nowhere.yaml: can't be read: No such file or directory\n"


def test_json_is_for_programs(run: Run, file: Path, folder: Path) -> None:
    (folder / "bad.yaml").write_text(BAD, encoding="utf-8")

    fine, bad, missing = (
        run("check", name, "--json") for name in ("turnout.yaml", "bad.yaml", "nowhere.yaml")
    )

    assert (fine.exit_code, bad.exit_code, missing.exit_code) == (0, 1, 2)
    assert json.loads(fine.stdout) == {"file": "turnout.yaml", "fine": True, "problems": []}
    assert json.loads(bad.stdout)["problems"][0] == {
        "file": "bad.yaml",
        "line": 8,
        "column": 23,
        "path": "routes.support.split.ft-v3",
        "reason": "is no variant of this route",
        "remedy": "did you mean 'ft-v2'?",
    }
    assert json.loads(missing.stdout)["error"].endswith("No such file or directory")


def test_the_schema_is_printed_without_any_file(run: Run) -> None:
    result = run("check", "--schema")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["properties"]["routes"]["description"]


def test_the_file_is_the_argument_else_the_variable_else_the_folders(
    run: Run, file: Path, folder: Path
) -> None:
    for name in ("one.yaml", "two.yaml"):
        (folder / name).write_text(GOOD, encoding="utf-8")

    assert run("check", "one.yaml", TURNOUT_CONFIG="two.yaml").stdout.startswith("one.yaml")
    assert run("check", TURNOUT_CONFIG="two.yaml").stdout.startswith("two.yaml")
    assert run("check").stdout.startswith("turnout.yaml")


def test_without_any_file_it_says_how_to_name_one(run: Run) -> None:
    result = run("check")

    assert result.exit_code == 2
    assert "name the file: turnout check FILE, or TURNOUT_CONFIG" in result.stderr


def test_output_that_is_no_terminal_has_no_colours(run: Run, folder: Path) -> None:
    (folder / "turnout.yaml").write_text(BAD, encoding="utf-8")

    assert "\x1b" not in run("check").output
