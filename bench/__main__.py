"""The command line: `python -m bench` from the repository's root."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench import report, targets
from bench.bars import judge_all
from bench.cells import Cell, all_cells
from bench.machine import choose_cores, facts, load_average, raise_file_limit
from bench.programs import HarnessError, build
from bench.run import Plan, run

PAGE = targets.ROOT / "docs" / "performance.md"
PACKAGES = ("turnout", "uvloop", "httptools", "msgspec", "uvicorn", "fastapi", "httpx2", "httpx")
FULL, QUICK = (3, 2.0), (1, 0.6)  # rounds, and seconds a cell
FILES = 11_000  # for 5,000 streams: a proxy holds two sockets for each


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="one short round, a good minute: a first look")
    add("--rounds", type=int, help=f"interleaved rounds (default {FULL[0]})")
    add("--seconds", type=float, help=f"seconds a cell (default {FULL[1]:g})")
    add("--targets", default=",".join(targets.STARTERS), help="which targets (%(default)s)")
    add("--only", help="which cells: " + ", ".join(cell.name for cell in all_cells(1)))
    add("--json", type=Path, metavar="FILE", help="write the results there")
    add("--from", type=Path, metavar="FILE", dest="source", help="show results; run nothing")
    add("--publish", action="store_true", help="write the tables into docs/performance.md")
    return parser.parse_args(argv)


def _choose_cells(only: str | None, seconds: float) -> list[Cell]:
    cells = all_cells(seconds)
    if only is None:
        return cells
    wanted = set(only.split(","))
    if unknown := wanted - {cell.name for cell in cells}:
        raise HarnessError(f"no such cell: {', '.join(sorted(unknown))}")
    return [cell for cell in cells if cell.name in wanted]


def _choose_targets(wanted: str) -> tuple[list[str], dict[str, str]]:
    """The targets to run, and those that cannot be run here with the reason."""
    names = wanted.split(",")
    if unknown := set(names) - set(targets.STARTERS):
        raise HarnessError(f"no such target: {', '.join(sorted(unknown))}")
    skipped = {name: why for name in names if (why := targets.missing(name))}
    return [name for name in names if name not in skipped], skipped


def _versions() -> dict[str, str]:
    found = {"Python": facts()["python"]}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    if nginx := targets.nginx_command():
        said = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=False)
        if number := re.search(r"nginx/(\S+)", said.stderr):
            found["nginx"] = number[1]
    return found


def _measure(options: argparse.Namespace, argv: list[str]) -> dict[str, Any]:
    rounds, seconds = QUICK if options.quick else FULL
    rounds, seconds = options.rounds or rounds, options.seconds or seconds
    cells = _choose_cells(options.only, seconds)
    names, skipped = _choose_targets(options.targets)
    build()
    if (files := raise_file_limit()) < FILES:
        cells = [cell for cell in cells if cell.name != "many"]
        skipped["5,000 streams"] = f"{FILES:,} open files are needed, {files:,} are granted"
    before, date, machine = load_average(), datetime.now(UTC), facts()
    gathered = run(Plan(cells, names, rounds, choose_cores(), _tell))
    return {
        "date": date.isoformat(timespec="seconds"),
        "command": " ".join(["python -m bench", *argv]),
        "machine": machine,
        "versions": _versions(),
        "load_average": {"before": before, "after": load_average()},
        "rounds_run": rounds,
        "seconds": seconds,
        "targets": names,
        "skipped": skipped,
        "problems": gathered.problems,
        "rounds": gathered.rounds,
        "medians": gathered.medians(),
        "bars": judge_all(gathered.rounds),
    }


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def main(argv: list[str]) -> int:
    """Runs, shows and keeps; 0: every bar that was measured was passed, 1: not, 2: no run."""
    options = _parse(argv)
    try:
        if options.source:
            results = json.loads(options.source.read_text())
        else:
            results = _measure(options, argv)
    except HarnessError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    print(report.render(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    if options.publish:
        report.publish(results, PAGE)
    return 1 if any(bar["passed"] is False for bar in results["bars"]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
