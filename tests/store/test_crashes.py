"""What is left when a writer is killed, and when two write at once."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from proxy.store import open_store
from tests.frame.source import ROOT


def run(*words: str) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.store.forked", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_a_writer_that_is_killed_leaves_every_version_that_it_was_told_is_kept(
    tmp_path: Path,
) -> None:
    path = tmp_path / "versions.db"
    open_store(path).close()
    ran = run("killed", str(path), "20")
    assert ran["versions"] >= 40
    assert (ran["lost"], ran["gaps"]) == (0, 0)
    assert not ran["alembic"], "a store of today is opened without the migrations' library"


def test_of_two_processes_that_append_a_number_one_is_told_of_the_conflict(tmp_path: Path) -> None:
    ran = run("raced", str(tmp_path / "versions.db"), "30")
    assert not ran["failed"]
    assert ran["appended"] == 30
    assert ran["found"] == list(range(1, 31))
