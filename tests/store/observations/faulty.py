"""Processes whose request store is killed, or whose disk is full; run by test_faults.

    python -m tests.store.observations.faulty killed|full FILE ROUNDS

It prints a line of JSON with what happened. Children are forks, so that a kill costs milliseconds.
"""

import json
import os
import random
import resource
import signal
import struct
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import text

from proxy.config.settings import StoreSettings
from proxy.exchange.observation import Observation
from proxy.store import Store, open_store
from proxy.store.observations import Finding, ObservationWriter, Wanted, open_observations
from tests.support.observed import observed

HANDED = struct.Struct("!qd")  # how many were handed over, and when the last of them was
PAUSE = 0.005
MANY, FEW = 20, 1  # at once: some 4,000 a second, or 200, whose batches time alone ends
WORK_SECONDS = {MANY: 0.6, FEW: 1.5}  # before the kill, at most: two batches or so
UNSEEN = text(
    "SELECT count(*) FROM observations o LEFT JOIN spans s ON s.block = o.number / 1024 "
    "AND s.kind = o.kind AND o.started_at BETWEEN s.first_at AND s.last_at "
    "AND o.latency_ms <= s.slowest_ms WHERE s.block IS NULL"
)


def words(name: str) -> str:
    return sha256(name.encode()).hexdigest() * 3


def seen(name: str) -> Observation:
    return observed(request_id=name, started_at=time.time(), prompt_preview=words(name))


def opened(path: Path) -> tuple[Store, Finding, ObservationWriter]:
    store = open_store(path)
    finding, writer = open_observations(
        store.engine, StoreSettings(), clock=time.monotonic, wall=time.time
    )
    return store, finding, writer


def _hand_over(path: Path, number: int, at_once: int, pipe: int) -> None:
    """Hand observations over for ever, and tell how many those are."""
    _, _, writer = opened(path)
    count = 0
    while True:
        writer.take([seen(f"{number}-{count + more}") for more in range(at_once)])
        count += at_once
        os.write(pipe, HANDED.pack(count, time.time()))
        time.sleep(PAUSE)


def _kill(path: Path, number: int, share: float) -> tuple[float, list[tuple[int, float]]]:
    """Start a process and kill it after a share of its time; return when, and what it told."""
    at_once = FEW if number % 2 else MANY
    reader, pipe = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _hand_over(path, number, at_once, pipe)
    os.close(pipe)
    told = b"" + os.read(reader, HANDED.size)  # it is at work
    time.sleep(WORK_SECONDS[at_once] * share)
    os.kill(pid, signal.SIGKILL)
    at = time.time()
    os.waitpid(pid, 0)
    while more := os.read(reader, 65_536):
        told += more
    os.close(reader)
    return at, list(HANDED.iter_unpack(told))


def _found(path: Path, number: int) -> tuple[int, int]:
    """Return how many of a process' observations are there, and how many are torn or missing."""
    store = open_store(path)
    finding = Finding(store.engine)
    names: list[str] = []
    torn, after = 0, 0
    while page := finding.find(Wanted(since=0.0), 500, after=after):
        after = page[-1].number
        torn += sum(
            each.observation.prompt_preview != words(each.observation.request_id) for each in page
        )
        names += [each.observation.request_id for each in page]
    with store.engine.connect() as connection:
        torn += connection.scalar(UNSEEN) or 0
        torn += connection.scalar(text("PRAGMA integrity_check")) != "ok"
        connection.rollback()
    mine = [name for name in names if name.startswith(f"{number}-")]
    torn += mine != [f"{number}-{place}" for place in range(len(mine))]
    store.close()
    return len(mine), torn


def killed(path: Path, rounds: int) -> dict[str, Any]:
    """Kill a writer at some moment, each time; find out what is lost, and since when."""
    dice = random.Random(rounds)
    stored, torn, lost, longest = 0, 0, 0, 0.0
    for number in range(rounds):
        at, told = _kill(path, number, dice.random())
        count, bad = _found(path, number)
        stored, torn, lost = stored + count, torn + bad, lost + max(0, told[-1][0] - count)
        # The first that is lost was handed over before it was told of.
        longest = max([longest, *(at - when for handed, when in told if handed > count)])
        _empty(path)
    return {"stored": stored, "torn": torn, "lost": lost, "seconds": longest}


def _empty(path: Path) -> None:
    """Take all out, so that a round costs as much as the one before."""
    store = open_store(path)
    with store.engine.begin() as connection:
        for table in ("observations", "spans"):
            connection.execute(text(f"DELETE FROM {table}"))  # our own names
    store.close()


def full(path: Path, rounds: int) -> dict[str, Any]:
    """Let the disk be full for a while: files can't grow; then there is room again."""
    store, finding, writer = opened(path)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    none = resource.getrlimit(resource.RLIMIT_FSIZE)
    handed, downs, slowest, back = 0, 0, 0.0, 0.0

    def hand_over(until: Callable[[], bool]) -> float:
        nonlocal handed, slowest
        began = time.monotonic()
        while not until() and time.monotonic() - began < 30:
            batch = [seen(f"{handed + more}") for more in range(MANY)]
            before = time.monotonic()
            writer.take(batch)
            slowest = max(slowest, time.monotonic() - before)
            handed += MANY
            time.sleep(PAUSE)
        return time.monotonic() - began

    for _ in range(rounds):
        hand_over(lambda: writer.written > handed / 2)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size // 2, none[1]))
        hand_over(lambda: not writer.up)
        downs += not writer.up
        resource.setrlimit(resource.RLIMIT_FSIZE, none)
        back = max(back, hand_over(lambda: writer.up))
    writer.close(30)
    kept = len(finding.find(Wanted(), 1_000_000))
    store.close()
    return {
        "downs": downs,
        "back": back,
        "slowest": slowest,
        "handed": handed,
        "counted": writer.written + writer.dropped + writer.queue,
        "written": writer.written,
        "kept": kept,
    }


if __name__ == "__main__":
    what = {"killed": killed, "full": full}[sys.argv[1]]
    print(json.dumps(what(Path(sys.argv[2]), int(sys.argv[3]))))  # noqa: T201  # for the test
