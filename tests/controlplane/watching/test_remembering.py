"""What fires is kept in a file, whole; one that is none harms nobody."""

from pathlib import Path

from structlog.testing import capture_logs

from proxy.alerting.windows import Key, Phase, Rule, Standing, WindowAlert
from proxy.controlplane.watching.remembering import NAME, AlertFile

RULE = Rule(name=WindowAlert.WORSE_THAN_BASELINE, threshold=2.0)
FIRING = Standing(
    key=Key(RULE.name, "support", "ft-v2", "error rate"),
    rule=RULE,
    phase=Phase.FIRING,
    since=4.0,
    began_at=1_795_000_000.0,
    fired_at=1_795_000_060.0,
    seen_at=1_795_000_090.5,
    value=3.5,
    count=90,
    request_ids=("req-1", "req-2"),
)


def test_what_is_written_comes_back_as_it_was(tmp_path: Path) -> None:
    AlertFile(tmp_path).write([FIRING])
    assert AlertFile(tmp_path).read() == [FIRING]
    AlertFile(tmp_path).write([])
    assert AlertFile(tmp_path).read() == []


def test_where_nothing_was_written_nothing_fired(tmp_path: Path) -> None:
    with capture_logs() as lines:
        assert AlertFile(tmp_path).read() == []
    assert lines == []


def test_what_is_no_such_file_is_told_and_forgotten(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('[{"key": 1}]', encoding="utf-8")
    with capture_logs() as lines:
        assert AlertFile(tmp_path).read() == []
    assert [line["event"] for line in lines] == ["firing alerts could not be read"]


def test_where_there_is_no_room_it_is_told(tmp_path: Path) -> None:
    with capture_logs() as lines:
        AlertFile(tmp_path / "gone").write([FIRING])
    assert [line["event"] for line in lines] == ["firing alerts could not be kept"]
