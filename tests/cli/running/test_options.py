import json
import socket

import pytest

from tests.cli.conftest import Run
from tests.support.administered import ADMIN, READER
from tests.support.served_admin import ServedAdmin


@pytest.fixture
def closed() -> str:
    """Return the address of nobody."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return f"http://127.0.0.1:{sock.getsockname()[1]}"


def test_a_turnout_that_does_not_run_is_exit_code_3(run: Run, closed: str) -> None:
    result = run("status", "--admin-url", closed)

    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr == (
        f"turnout: nobody answers at {closed} (--admin-url); is turnout running?\n"
    )


def test_with_json_what_could_not_be_done_is_json(run: Run, closed: str) -> None:
    result = run("versions", "--json", TURNOUT_ADMIN_URL=closed)

    assert result.exit_code == 3
    assert json.loads(result.stdout) == {
        "detail": {
            "problems": [],
            "message": f"nobody answers at {closed} (TURNOUT_ADMIN_URL); is turnout running?",
        }
    }


def test_what_is_said_on_the_command_line_wins_over_the_environment(
    turnout: Run, admin: ServedAdmin, closed: str
) -> None:
    assert turnout("status", TURNOUT_ADMIN_URL=closed).exit_code == 3
    assert turnout("status", "--admin-url", admin.url, TURNOUT_ADMIN_URL=closed).exit_code == 0
    assert "from --token is not known" in turnout("status", "--token", "wrong").stderr
    assert turnout("status", "--token", READER, TURNOUT_ADMIN_TOKEN="wrong").exit_code == 0


def test_a_reader_changes_nothing_and_is_told_what_it_takes(
    turnout: Run, admin: ServedAdmin
) -> None:
    result = turnout("split", "support", "base=1", TURNOUT_ADMIN_TOKEN=READER)

    assert result.exit_code == 1
    assert "role admin" in result.stderr
    assert "TURNOUT_ADMIN_TOKEN" in result.stderr
    assert len(admin.house.versions.kept) == 1


def test_no_token_is_ever_shown(turnout: Run) -> None:
    for words in (["status"], ["status", "--json"], ["audit"], ["versions", "--json"]):
        told = turnout(*words).output
        assert ADMIN not in told
        assert READER not in told


def test_a_change_made_against_an_older_version_is_refused_with_who_changed_what(
    turnout: Run, admin: ServedAdmin
) -> None:
    turnout("split", "support", "base=1", "--why", "all to the base")

    result = turnout("split", "support", "ft-v2=1", "--if-version", "1")

    assert result.exit_code == 4
    assert "version 2 is in force" in result.stderr
    assert "cli by ann: all to the base" in result.stderr
    assert "turnout diff 1 2" in result.stderr
    assert turnout("split", "support", "ft-v2=1", "--if-version", "2").exit_code == 0


def test_a_version_that_is_yet_to_come_is_none_and_nobody_changed_anything(turnout: Run) -> None:
    result = turnout("split", "support", "base=1", "--if-version", "99")

    assert result.exit_code == 1
    assert result.stderr == "turnout: there is no version 99; the last one, in force, is 1\n"


def test_with_json_a_change_and_a_refusal_are_json(turnout: Run) -> None:
    done = turnout("split", "support", "base=1", "--json")
    refused = turnout("split", "nowhere", "base=1", "--json")
    stale = turnout("rollback", "--all", "--if-version", "1", "--json")

    assert json.loads(done.stdout)["version"] == 2
    assert refused.exit_code == 1
    assert "there are: org/chat, support" in json.loads(refused.stdout)["detail"]["message"]
    assert stale.exit_code == 4
    assert json.loads(stale.stdout)["detail"]["since"][0]["number"] == 2
