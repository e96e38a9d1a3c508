"""A store that is killed, full or locked: nothing is torn, little is lost, all is counted."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from proxy.config.settings import StoreSettings
from proxy.store import open_store
from proxy.store.observations import Wanted, open_observations
from tests.frame.source import ROOT
from tests.support.observed import observed

KILLS = os.environ.get("TURNOUT_TEST_KILLS", "20")
BACK_SECONDS = 5.0


def run(*words: str) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.store.observations.faulty", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=110 if KILLS == "20" else None,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


@pytest.mark.alone
def test_a_kill_at_any_moment_tears_no_row_and_loses_a_second_at_most(tmp_path: Path) -> None:
    path = tmp_path / "versions.db"
    open_store(path).close()
    ran = run("killed", str(path), KILLS)
    assert ran["stored"] > 0
    assert ran["torn"] == 0
    assert ran["lost"] > 0, "a kill that loses nothing shows nothing"
    assert ran["seconds"] <= 1.0


@pytest.mark.alone
def test_a_full_disk_holds_nobody_up_and_once_there_is_room_it_is_written_again(
    tmp_path: Path,
) -> None:
    ran = run("full", str(tmp_path / "versions.db"), "2")
    assert ran["downs"] == 2
    assert ran["slowest"] < 0.5, "taking waits for nothing"
    assert ran["back"] < BACK_SECONDS
    assert ran["counted"] == ran["handed"]
    assert ran["kept"] == ran["written"] > 0


def test_a_database_that_somebody_else_locks_is_written_once_it_is_let_go(tmp_path: Path) -> None:
    path = tmp_path / "versions.db"
    store = open_store(path)
    finding, writer = open_observations(
        store.engine, StoreSettings(), clock=time.monotonic, wall=time.time
    )
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writer.take([observed(request_id=f"r{number}") for number in range(5)])
    assert not writer.flush(0.5)
    assert finding.find(Wanted(), 10) == [], "whoever looks does not wait"
    other.execute("ROLLBACK")
    other.close()
    assert writer.flush(BACK_SECONDS)
    assert (writer.written, writer.dropped) == (5, 0)
    assert writer.close(BACK_SECONDS)
    store.close()
