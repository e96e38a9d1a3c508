"""Interleaved rounds of cells over targets, and the medians of what they gave."""

from __future__ import annotations

import statistics
import tempfile
import threading
from collections import defaultdict
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench import targets
from bench.cells import measure
from bench.machine import on_core
from bench.programs import HarnessError, Load, Mock, chat_request, run_load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.cells import Cell, Figures
    from bench.machine import Cores
    from bench.targets import Target

Measured = dict[str, dict[str, "Figures"]]  # by cell, then target: of a round, or medians
SCRAPE_SECONDS = 1.0


@dataclass
class Plan:
    """What one run of the benchmark does."""

    cells: Sequence[Cell]
    names: Sequence[str]
    rounds: int
    cores: Cores
    tell: Callable[[str], None]


@dataclass
class Gathered:
    """What a run gave: each round's figures, and what went wrong."""

    rounds: list[Measured] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def medians(self) -> Measured:
        figures: dict[str, dict[str, list[Figures]]] = defaultdict(lambda: defaultdict(list))
        for measured in self.rounds:
            for cell, by_target in measured.items():
                for name, each in by_target.items():
                    figures[cell][name].append(each)
        return {
            cell: {name: _median(each) for name, each in by_target.items()}
            for cell, by_target in figures.items()
        }


def _median(rounds: Sequence[Figures]) -> Figures:
    """Each figure's median; failures and drops are added up, for one is too many."""
    medians = {name: statistics.median(r[name] for r in rounds if name in r) for name in rounds[0]}
    return medians | {name: sum(r[name] for r in rounds) for name in ("failed", "dropped")}


def run(plan: Plan) -> Gathered:
    """Runs all rounds. Within a round the targets take turns at every cell, so that whatever
    slows the machine down for a while slows all of them down.
    """
    gathered = Gathered()
    with on_core(plan.cores.harness):
        for number in range(1, plan.rounds + 1):
            with (
                tempfile.TemporaryDirectory(prefix="turnout-bench-") as folder,
                Mock(targets.free_port(), plan.cores.harness) as mock,
            ):
                measured: Measured = defaultdict(dict)
                gathered.rounds.append(measured)
                title = f"round {number}/{plan.rounds}"
                _Round(plan, title, mock, Path(folder), measured).run(gathered)
    return gathered


@dataclass(frozen=True)
class _Round:
    plan: Plan
    title: str
    mock: Mock
    folder: Path
    measured: Measured

    def run(self, gathered: Gathered) -> None:
        with ExitStack() as stack:
            running = []
            for name in self.plan.names:
                try:
                    target = self._start(name)
                except HarnessError as error:
                    gathered.problems.append(f"{self.title}: {error}")
                    continue
                stack.callback(target.stop)
                running.append(target)
            for cell in self.plan.cells:
                for target in running:
                    if target.name not in cell.without:
                        self._measure(cell, target, gathered)

    def _start(self, name: str) -> Target:
        self.plan.tell(f"{self.title}: starting {name}")
        target = targets.start(name, self.folder, self.mock.port, self.plan.cores.target)
        self._warm_up(target)
        return target

    def _warm_up(self, target: Target) -> None:
        """Lets a target import, allocate and open what its first requests need."""
        request = self.folder / "request.http"
        request.write_bytes(chat_request(1_500))
        load, core = Load("closed", 10, 0.3), self.plan.cores.harness
        with suppress(HarnessError):  # what is wrong shows in the first cell
            run_load(load, target.port, request, core, lambda: None)

    def _measure(self, cell: Cell, target: Target, gathered: Gathered) -> None:
        self.plan.tell(f"{self.title}: {cell.title}: {target.name}")
        try:
            with _scraping(target.metrics_port):
                core = self.plan.cores.harness
                figures, failure = measure(cell, target, self.mock, self.folder, core)
        except HarnessError as error:
            gathered.problems.append(f"{cell.title}, {target.name}: {error}")
            return
        self.measured[cell.name][target.name] = figures
        if figures["dropped"]:
            gathered.problems.append(
                f"{cell.title}, {target.name}: {figures['dropped']:.0f} observations dropped"
            )
        if figures["failed"]:
            gathered.problems.append(
                f"{cell.title}, {target.name}: {figures['failed']:.0f} requests failed: {failure}"
            )


@contextmanager
def _scraping(port: int | None) -> Iterator[None]:
    """Reads /metrics once a second meanwhile, as a Prometheus would, if there is one to read."""
    if port is None:
        yield
        return
    done = threading.Event()
    scraper = threading.Thread(target=_scrape, args=(port, done))
    scraper.start()
    try:
        yield
    finally:
        done.set()
        scraper.join()


def _scrape(port: int, done: threading.Event) -> None:
    while not done.wait(SCRAPE_SECONDS):
        with suppress(HarnessError):  # its count of drops, read after each cell, will tell
            targets.read_metrics(port)
