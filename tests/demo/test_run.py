"""`turnout demo` as its users run it: it does its job, says what it saw, and leaves nothing."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.programs import free_port

DEMO = (sys.executable, "-m", "proxy", "demo")


@contextmanager
def demo(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run the demo with `folder` for its temporary files, as a terminal's foreground would."""
    with subprocess.Popen(
        [*DEMO, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(folder), "COLUMNS": "120"},
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(20)


def read_until(process: subprocess.Popen[str], word: str) -> str:
    assert process.stdout is not None
    read = ""
    while word not in read:
        line = process.stdout.readline()
        if not line:
            raise AssertionError(f"the demo ended without {word!r}:\n{read}")
        read += line
    return read


def descendants(pid: int) -> set[int]:
    """Return the living processes below `pid`."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = entry.read_text()
        except OSError:
            continue
        state, parent = text.rpartition(")")[2].split()[:2]
        if state != "Z":
            parents[int(entry.parent.name)] = int(parent)
    found: set[int] = set()
    waiting = {pid}
    while waiting:
        waiting = {child for child, parent in parents.items() if parent in waiting} - found
        found |= waiting
    return found


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


def test_it_ends_by_itself_and_says_what_it_saw(tmp_path: Path) -> None:
    ports = "--port", str(free_port()), "--admin-port", str(free_port())
    with demo(tmp_path, "--seconds", "5", "--rate", "25", *ports) as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "turnout did its job." in said
    assert "base" in said
    assert "ft-v2" in said
    assert "slow" in said.partition("  alerts: ")[2]
    assert "short" in said.partition("  alerts: ")[2]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_no_process_no_file_and_no_port(
    tmp_path: Path, number: signal.Signals
) -> None:
    port, admin_port = free_port(), free_port()
    with demo(
        tmp_path, "--plain", "--seconds", "60", f"--port={port}", f"--admin-port={admin_port}"
    ) as process:
        read_until(process, "alerts:")
        children = descendants(process.pid)
        assert len(children) >= 3  # supervisor, control, a worker
        process.send_signal(number)
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert alive(children) == set()
    assert list(tmp_path.iterdir()) == []
    for released in (port, admin_port):
        socket.create_server(("127.0.0.1", released)).close()


def test_an_interruption_while_it_starts_leaves_nothing_either(tmp_path: Path) -> None:
    with demo(tmp_path, f"--port={free_port()}", f"--admin-port={free_port()}") as process:
        while not descendants(process.pid):
            assert process.poll() is None
        children = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert alive(children) == set()
    assert list(tmp_path.iterdir()) == []


def test_it_fails_where_turnout_ends_by_itself(tmp_path: Path) -> None:
    ports = f"--port={free_port()}", f"--admin-port={free_port()}"
    with demo(tmp_path, "--seconds", "30", *ports) as process:
        read_until(process, "Three things to try")
        children = (Path(f"/proc/{process.pid}/task/{process.pid}/children")).read_text()
        os.kill(int(children.split()[0]), signal.SIGKILL)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "PROBLEM: turnout ended by itself" in said


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with demo(tmp_path, "--seconds", "5", f"--port={port}") as process:
            said, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert f"port {port} is taken" in said
