"""Memory, CPU time and age of turnout's own processes, by kind, as /proc has them."""

import os
import time
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from proxy.sinks.metrics import Metrics, Names
from proxy.sinks.metrics.processes import Processes, ticks, used_by

PAGE = os.sysconf("SC_PAGE_SIZE")
MEMORY = "turnout_process_resident_memory_bytes"
CPU = "turnout_process_cpu_seconds_total"
START = "turnout_process_start_time_seconds"


class Machine:
    """A /proc of our own; `workers` are those that control knows just now."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder
        self.workers: list[int] = []
        (folder / "stat").write_text("cpu 1 2 3\nbtime 1795000000\n")
        self.shows(os.getppid(), cpu=1, pages=10, started=100)
        self.shows(os.getpid(), cpu=2, pages=20, started=110)

    def shows(self, pid: int, *, cpu: float, pages: int = 1, started: int = 120) -> None:
        """Let a process be there; `cpu` is seconds, `started` seconds after the machine."""
        half = int(cpu * ticks() / 2)
        fields = ["S", *["0"] * 10, str(half), str(half), *["0"] * 6, str(started * ticks()), "0"]
        (self.proc / str(pid)).mkdir(exist_ok=True)
        text = f"{pid} (a name) with ) in it) {' '.join([*fields, str(pages)])} 0 0\n"
        (self.proc / str(pid) / "stat").write_text(text)

    def ends(self, pid: int) -> None:
        """Let a process be gone."""
        (self.proc / str(pid) / "stat").unlink()

    def scraped(self) -> CollectorRegistry:
        """Return what a scrape asks."""
        return Metrics(Names(), Processes(lambda: self.workers, self.proc).readings()).registry()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def of(registry: CollectorRegistry, name: str) -> dict[str, float]:
    kinds = ("supervisor", "control", "worker")
    told = {kind: registry.get_sample_value(name, {"process": kind}) for kind in kinds}
    return {kind: value for kind, value in told.items() if value is not None}


def test_each_kind_is_told_and_workers_are_added_up(machine: Machine) -> None:
    machine.workers = [7001, 7002]
    machine.shows(7001, cpu=4, pages=3, started=200)
    machine.shows(7002, cpu=6, pages=5, started=300)
    seen = machine.scraped()
    assert of(seen, MEMORY) == {"supervisor": 10 * PAGE, "control": 20 * PAGE, "worker": 8 * PAGE}
    assert of(seen, CPU) == {"supervisor": 1, "control": 2, "worker": 10}
    assert of(seen, START)["worker"] == 1795000300


def test_cpu_time_of_a_worker_that_ended_stays_and_its_memory_does_not(machine: Machine) -> None:
    machine.workers = [7001]
    machine.shows(7001, cpu=4, pages=3)
    seen = machine.scraped()
    assert of(seen, CPU)["worker"] == 4
    machine.ends(7001)
    machine.workers = [7002]
    machine.shows(7002, cpu=2, pages=1)
    assert (of(seen, CPU)["worker"], of(seen, MEMORY)["worker"]) == (6, PAGE)


def test_a_worker_that_is_away_from_control_counts_on_and_once(machine: Machine) -> None:
    machine.workers = [7001]
    machine.shows(7001, cpu=4)
    seen = machine.scraped()
    assert of(seen, CPU)["worker"] == 4
    machine.workers = []
    machine.shows(7001, cpu=6)
    assert of(seen, CPU)["worker"] == 6
    machine.workers = [7001]
    assert of(seen, CPU)["worker"] == 6


def test_a_number_that_a_stranger_got_is_no_worker_any_more(machine: Machine) -> None:
    machine.workers = [7001, 7002]
    machine.shows(7001, cpu=4)
    machine.shows(7002, cpu=1)
    seen = machine.scraped()
    assert of(seen, CPU)["worker"] == 5
    machine.workers = [7002]
    machine.shows(7001, cpu=100, pages=1000, started=900)
    assert (of(seen, CPU)["worker"], of(seen, MEMORY)["worker"]) == (5, PAGE)


def test_a_supervisor_that_is_gone_is_nobody(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = machine.scraped()
    assert of(seen, CPU)["supervisor"] == 1
    machine.ends(os.getppid())
    machine.shows(1, cpu=1000)
    monkeypatch.setattr(os, "getppid", lambda: 1)
    assert set(of(seen, CPU)) == {"control"}


def test_without_proc_nothing_is_said(tmp_path: Path) -> None:
    seen = Metrics(Names(), Processes(lambda: [1], tmp_path / "none").readings()).registry()
    assert [of(seen, name) for name in (MEMORY, CPU, START)] == [{}, {}, {}]


def test_what_this_process_used_is_what_the_system_says() -> None:
    mine = used_by(os.getpid())
    assert mine is not None
    assert mine.cpu_seconds == pytest.approx(time.process_time(), abs=1.0)
    assert mine.memory_bytes > 1024 * PAGE
    seen = Metrics(Names(), Processes(tuple).readings()).registry()
    assert of(seen, START)["control"] == pytest.approx(time.time(), abs=24 * 3600)
