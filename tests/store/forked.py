"""Processes that write to one store and are killed, or race each other; run by test_crashes.

    python -m tests.store.forked killed|raced FILE ROUNDS

It prints a line of JSON with what happened. Children are forks, so that a kill costs milliseconds.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from proxy.errors import Conflict
from proxy.store import Store, open_store
from tests.store.kept import entry, numbers, version

CONTENTS = b"many pages " * 5000  # so that a version is more than one write


def child(path: Path, work: Callable[[Store, Callable[[], None]], None]) -> tuple[int, int]:
    """Start `work` on a store of its own in a new process; return its id and a pipe to read.

    What `work` is handed as its second argument writes one byte into the pipe.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        work(open_store(path), lambda: _tell(writer))
        os._exit(0)
    os.close(writer)
    return pid, reader


def _tell(writer: int) -> None:
    os.write(writer, b".")


def read(path: Path) -> list[int]:
    """Return the numbers that the store in `path` opens with."""
    store = open_store(path)
    found = numbers(store)
    store.close()
    return found


def killed(path: Path, rounds: int) -> dict[str, Any]:
    """Kill a writer in the midst of its writes, each time after some more of them."""
    told, short, gaps = 0, 0, 0
    for many in range(rounds):
        pid, reader = child(path, _append_for_ever)
        for _ in range(many % 5):
            told += len(os.read(reader, 1))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while left := os.read(reader, 1000):
            told += len(left)
        os.close(reader)
        found = read(path)
        short += len(found) < told
        gaps += found != list(range(1, len(found) + 1))
        told = len(found)  # the last one may be there though its writer could not say so
    return {"versions": told, "lost": short, "gaps": gaps}


def _append_for_ever(store: Store, tell: Callable[[], None]) -> None:
    last = store.latest()
    number = last.number if last else 0
    while True:
        number += 1
        store.append(version(number, contents=CONTENTS))
        tell()
        store.record(entry(version=number))


def raced(path: Path, rounds: int) -> dict[str, Any]:
    """Have two writers append the same numbers; count who could and who could not."""

    def append(store: Store, tell: Callable[[], None]) -> None:
        for number in range(1, rounds + 1):
            try:
                store.append(version(number))
                tell()
            except Conflict:
                continue

    open_store(path).close()
    children = [child(path, append) for _ in range(2)]
    codes = [os.waitpid(pid, 0)[1] for pid, _ in children]
    return {
        "failed": codes.count(0) != 2,
        "appended": sum(len(os.read(reader, 10_000)) for _, reader in children),
        "found": read(path),
    }


if __name__ == "__main__":
    what = {"killed": killed, "raced": raced}[sys.argv[1]]
    ran = what(Path(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps(ran | {"alembic": "alembic" in sys.modules}))  # noqa: T201  # for the test
