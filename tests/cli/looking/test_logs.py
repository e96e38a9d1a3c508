import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from proxy.alerting import AlertName
from proxy.cli.looking.logs import ALERTS, OUTCOMES, keep
from proxy.exchange import Bodies, Outcome
from proxy.store import open_store
from proxy.store.observations import Finding, Keeping
from tests.cli.conftest import Run
from tests.support.administered import ADMIN, READER
from tests.support.observed import observed
from tests.support.served_admin import ServedAdmin, served_admin

ROWS: list[dict[str, Any]] = [
    {"request_id": "req_a", "table_version": 1},
    {"request_id": "req_b", "latency_ms": 6000.0, "alerts": ("slow",)},
    {
        "request_id": "req_c",
        "variant_served": "ft-v2",
        "shadow_of": "req_a",
        "bodies": Bodies(
            zlib.compress(b'{"model":"support","user":"\xc3\xbc\\u001b[2J"}'),
            zlib.compress(b"the beg\x1b[2J"),
            40,
            90_000,
            request_whole=True,
        ),
    },
]


@pytest.fixture
def keeping(tmp_path: Path) -> Iterator[Keeping]:
    store = open_store(tmp_path / "versions.db")
    keeping = Keeping(store.engine)
    keeping.keep([observed(**row) for row in ROWS])
    yield keeping
    store.close()


@pytest.fixture
def admin(keeping: Keeping) -> Iterator[ServedAdmin]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with served_admin(observations=Finding(keeping._engine)) as served:
        yield served
    structlog.reset_defaults()


def ids(output: str) -> list[str]:
    return [word for word in output.split() if word.startswith("req_")]


def test_the_newest_stand_last_as_in_a_log(turnout: Run) -> None:
    result = turnout("logs")

    assert result.exit_code == 0
    assert ids(result.stdout) == ["req_a", "req_b", "req_c"]
    assert "!slow" in result.stdout.splitlines()[2]
    assert "6.00 s" in result.stdout.splitlines()[2]
    assert "base > ft-v2" in result.stdout.splitlines()[3]
    assert "turnout logs --before 2" in turnout("logs", "--limit", "2").stdout


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--route", "support", "--variant", "base"), ["req_a", "req_b"]),
        (("--outcome", "completed", "--alert", "any"), ["req_b"]),
        (("--slower-than", "5s"), ["req_b"]),
        (("--slower-than", "6001ms"), []),
        (("--key", "app"), []),
        (("--since", "2020-01-01", "--until", "2099-01-01"), ["req_a", "req_b", "req_c"]),
        (("--until", "2020-01-01"), []),
        (("--before", "2"), ["req_a"]),
    ],
)
def test_each_filter_is_asked_for(turnout: Run, words: tuple[str, ...], found: list[str]) -> None:
    assert ids(turnout("logs", *words).stdout) == found


def test_json_is_what_administration_says(turnout: Run) -> None:
    page = json.loads(turnout("logs", "--json", "--limit", "1").stdout)

    assert [each["request_id"] for each in page["exchanges"]] == ["req_c"]
    assert page["before"] == 3


def test_a_request_has_its_whole_story(turnout: Run) -> None:
    result = turnout("logs", "show", "req_a")

    assert result.exit_code == 0
    assert "route 'support', variant base: by the split, its user in bucket 4711" in result.stdout
    assert "req_c  base > ft-v2" in result.stdout
    assert "█" in result.stdout
    assert (
        json.loads(turnout("logs", "show", "req_a", "--json").stdout)["decided_by"]["number"] == 1
    )


def test_bodies_are_read_where_they_are_kept_and_move_no_cursor(turnout: Run) -> None:
    result = turnout("logs", "show", "req_c", "--bodies")
    assert result.exit_code == 0
    assert 'request  40 bytes\n{\n  "model": "support",\n  "user": "ü' in result.stdout
    assert "reply  90000 bytes, cut\nthe beg\\x1b[2J" in result.stdout
    assert "\x1b" not in result.stdout
    assert "a request of 40 bytes" in turnout("logs", "show", "req_c").stdout
    found = json.loads(turnout("logs", "show", "req_c", "--bodies", "--json").stdout)
    assert found["reply"] == {"text": "the beg\x1b[2J", "bytes": 90_000, "whole": False}
    none = turnout("logs", "show", "req_b", "--bodies")
    assert (none.exit_code, "No bodies of this request are kept" in none.stderr) == (1, True)
    reader = turnout("logs", "show", "req_c", "--bodies", TURNOUT_ADMIN_TOKEN=READER)
    assert (reader.exit_code, "role admin" in reader.stderr) == (1, True)


def test_what_was_said_can_be_forgotten(turnout: Run) -> None:
    result = turnout("logs", "forget", "req_a", "--why", "asked by its user")
    assert result.stdout == "What was said in req_a is forgotten; its facts stay.\n"
    assert turnout("logs", "show", "req_c", "--bodies").exit_code == 1, "a shadow's too"
    assert "my parcel" not in turnout("logs", "show", "req_a").stdout
    assert json.loads(turnout("logs", "forget", "req_b", "--json").stdout) == {
        "request_id": "req_b"
    }
    entries = json.loads(turnout("audit", "--json").stdout)["entries"]
    (entry,) = (each for each in entries if each["target"] == "req_a")
    assert entry["action"] == "forget"
    assert (entry["why"], entry["result"]) == ("asked by its user", "done")
    assert turnout("logs", "forget", "req_z").exit_code == 1


def test_a_request_that_is_not_there_is_refused(turnout: Run) -> None:
    result = turnout("logs", "show", "req_z")

    assert result.exit_code == 1
    assert "No such request is on record" in result.stderr


def test_what_comes_is_followed_until_ctrl_c(
    turnout: Run, keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = iter(["req_d", "req_e"])

    def wait(_: float) -> None:
        name = next(waits, None)
        if name is None:
            raise KeyboardInterrupt
        keeping.keep([observed(request_id=name), observed(request_id=f"{name}2", route="sales")])

    monkeypatch.setattr(keep, "__defaults__", (wait,))
    result = turnout("logs", "--follow", "--route", "support")
    assert result.exit_code == 0
    assert ids(result.stdout) == ["req_a", "req_b", "req_c", "req_d", "req_e"]
    assert result.stdout.count("request  ") == 1, "one head"

    waits = iter(["req_f"])
    lines = turnout("logs", "-f", "--json", "--limit", "1").stdout.splitlines()
    found = [json.loads(line)["request_id"] for line in lines]
    assert found == ["req_e2", "req_f", "req_f2"]


def test_the_outcomes_are_those_there_are() -> None:
    assert set(OUTCOMES) == set(Outcome)
    assert set(ALERTS) == {*AlertName, "any"}


def test_a_time_that_is_none_is_a_usage_error(turnout: Run) -> None:
    assert turnout("logs", "--slower-than", "5").exit_code == 2
    assert turnout("logs", "--since", "then").exit_code == 2


def test_where_the_store_is_off_that_is_told(run: Run) -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with served_admin() as admin:
        result = run("logs", TURNOUT_ADMIN_URL=admin.url, TURNOUT_ADMIN_TOKEN=ADMIN)
    structlog.reset_defaults()
    assert result.exit_code == 1
    assert "store: off" in result.stderr
