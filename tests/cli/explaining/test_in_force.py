import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.support.served_admin import ServedAdmin


def test_the_turnout_that_runs_is_asked_and_the_file_only_if_that_is_meant(
    run: Run, turnout: Run, admin: ServedAdmin, file: Path
) -> None:
    turnout("split", "support", "ft-v2=1")

    running = turnout("route", "explain", "support", "--user", "alice").stdout.splitlines()
    by_file = turnout("route", "explain", "support", "--user", "alice", "--file")
    as_json = json.loads(
        turnout("route", "explain", "support", "--user", "alice", "--json").stdout
    )

    assert (running[0], running[-1]) == ("support -> ft-v2", "In force: version 2.")
    assert by_file.stdout.splitlines()[0] == "support -> base"
    assert by_file.stdout.splitlines()[-1] == "By turnout.yaml, whatever is in force."
    assert (as_json["source"], as_json["version"], as_json["variant"]) == ("running", 2, "ft-v2")


def test_what_runs_refuses_with_a_hint_at_the_file(turnout: Run, admin: ServedAdmin) -> None:
    unknown = turnout("route", "explain", "nope")
    other = turnout("route", "explain", "support", "--key", "k")

    assert unknown.exit_code == 1
    assert (
        "there are: support, org/chat. That is of the turnout that runs; --file" in unknown.stderr
    )
    assert other.exit_code == 2
    assert "'support' sticks to the user, not to the key" in other.stderr


def test_a_turnout_that_was_named_is_not_stood_in_for_by_a_file(run: Run, file: Path) -> None:
    result = run("route", "explain", "support", "--admin-url", "http://127.0.0.1:1")

    assert result.exit_code == 3
    assert result.stdout == ""
