"""What is left to a successor; that one takes over is shown in tests/processes."""

import os
import sys
from pathlib import Path

import msgspec
import pytest

from proxy.controlplane.supervision.holdings.succession import (
    VARIABLE,
    Estate,
    Successor,
    announce,
    command,
    inherited,
    is_successor,
)

PATIENCE = 20.0


def estate(predecessor: int, *files: int) -> Estate:
    traffic, admin, lock, ready = files or (0, 0, 0, 0)
    return Estate(
        predecessor=predecessor,
        traffic=(traffic,),
        admin=admin,
        lent=False,
        lock=lock,
        ready=ready,
    )


def left(given: Estate) -> dict[str, str]:
    return {VARIABLE: msgspec.json.encode(given).decode()}


def test_a_child_of_the_predecessor_inherits_once_and_passes_nothing_on() -> None:
    files = [os.dup(0) for _ in range(4)]
    for file in files:
        os.set_inheritable(file, True)  # noqa: FBT003  # os' own signature
    given = estate(os.getppid(), *files)
    environ = left(given)
    assert is_successor(environ)
    assert inherited(environ) == given
    assert not any(map(os.get_inheritable, files))
    assert inherited(environ) is None
    for file in files:
        os.close(file)


@pytest.mark.parametrize("environ", [{}, {VARIABLE: "junk"}, left(estate(os.getpid()))])
def test_nobody_else_inherits(environ: dict[str, str]) -> None:
    assert not is_successor(environ)
    assert inherited(environ) is None
    assert environ == {}


def test_a_predecessor_that_is_gone_need_not_be_told() -> None:
    theirs, ours = os.pipe()
    os.close(theirs)
    announce(estate(0, 0, 0, 0, ours))
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(ours)


READS = """
import os, signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
from proxy.controlplane.supervision.holdings.succession import announce, inherited
estate = inherited(os.environ)
"""


async def succeeded(monkeypatch: pytest.MonkeyPatch, script: str, seconds: float) -> bool:
    """Return whether a successor that is this script gets ready; it is ended in any case."""
    monkeypatch.setattr("sys.orig_argv", [sys.executable, "-c", READS + script])
    files = [os.dup(0) for _ in range(3)]
    successor = Successor(estate(os.getpid(), *files, -1))
    for file in files:
        os.close(file)
    try:
        return await successor.ready(seconds)
    finally:
        await successor.end()
        assert successor._process.returncode is not None


async def test_a_successor_that_says_so_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await succeeded(monkeypatch, "announce(estate); time.sleep(60)", PATIENCE)


async def test_one_that_ends_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not await succeeded(monkeypatch, "", PATIENCE)


async def test_one_that_takes_too_long_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not await succeeded(monkeypatch, "time.sleep(60)", 0.01)


def test_a_link_to_a_newer_installation_is_followed_to_the_python_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = tmp_path / "turnout-2" / "turnout"
    newer.parent.mkdir()
    newer.write_text("#!/opt/turnout-2/bin/python")
    (tmp_path / "turnout").symlink_to(newer.parent)
    program = str(tmp_path / "turnout" / "turnout")
    monkeypatch.setattr("sys.orig_argv", ["/opt/turnout-1/bin/python", program, "serve", "-x"])

    assert command()[:2] == [sys.executable, program], "no program that could be started"
    newer.chmod(0o755)
    assert command() == [program, "serve", "-x"]


@pytest.mark.parametrize("words", [["-m", "proxy", "serve"], []])
def test_what_is_no_program_in_a_file_is_started_by_the_same_python(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.orig_argv", ["python", *words])
    assert command() == [sys.executable, *words]
