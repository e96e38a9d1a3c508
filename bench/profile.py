"""Where the CPU time goes: which process uses how much, and what the busiest one does.

py-spy samples it under one of the benchmark's loads.

    uv pip install py-spy
    python -m bench.profile [--cell chat50] [--seconds 5] [--native] [--top 25]
        [--target turnout] [--rank 1] [--out FILE]

The busiest process is a worker; `--rank 2` samples the next one, which is control.

`self` is the share of samples in which a function itself ran, its system calls included; `total`
the share in which it was somewhere on the stack; `file` adds up `self` by file. `--native` shows C
frames too (uvloop, httptools) and slows the worker down. The samples, one collapsed stack a line,
go to FILE for a flame graph. py-spy may have to run as root, or where the kernel lets processes
trace each other.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bench import targets
from bench.cells import all_cells
from bench.machine import choose_cores, cpu_seconds, on_core, raise_file_limit
from bench.programs import HarnessError, Load, Mock, build, run_load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.cells import Cell
    from bench.targets import Target

SAMPLES_A_SECOND = 250


def shares(stacks: Iterable[str]) -> tuple[Counter[str], Counter[str], int]:
    """Samples by function, itself and in total, of collapsed stacks (`a;b;c 12`)."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    samples = 0
    for line in stacks:
        stack, _, count = line.rstrip().rpartition(" ")
        frames = stack.split(";")
        own[frames[-1]] += int(count)
        for frame in set(frames):
            total[frame] += int(count)
        samples += int(count)
    return own, total, samples


def by_file(own: Counter[str]) -> Counter[str]:
    """Samples by file, of functions named as py-spy does: `name (path:line)`."""
    files: Counter[str] = Counter()
    for name, count in own.items():
        _, _, place = name.rpartition("(")
        files[place.partition(":")[0]] += count
    return files


def busiest(target: Target, seconds: float) -> list[int]:
    """The target's processes, that which uses most CPU over the next `seconds` first; told."""
    before = {pid: cpu_seconds({pid}) for pid in target.processes()}
    threading.Event().wait(seconds)
    used = {pid: cpu_seconds({pid}) - before[pid] for pid in before}
    ranked = sorted(used, key=lambda pid: -used[pid])
    print("share of the CPU time, process")
    for pid in ranked:
        command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        print(f"{used[pid] / (sum(used.values()) or 1):>6.1%}  {command[-80:]}")
    return ranked


def sample(target: Target, options: argparse.Namespace, out: Path) -> None:
    """Writes collapsed stacks of one process to `out`."""
    spy = shutil.which("py-spy") or str(Path(sys.executable).parent / "py-spy")
    argv = [spy, "record", "--format", "raw", "--output", str(out), "--function"]
    argv += ["--rate", str(SAMPLES_A_SECOND), "--duration", str(options.seconds)]
    argv += ["--pid", str(busiest(target, 1.0)[options.rank - 1])]
    if options.native:
        argv.append("--native")
    try:
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise HarnessError("py-spy is not installed (uv pip install py-spy)") from None
    except subprocess.CalledProcessError as error:
        raise HarnessError(f"py-spy failed: {error.stderr.decode()}") from None


def profile(cell: Cell, options: argparse.Namespace, folder: Path, out: Path) -> None:
    """Puts the cell's load on turnout for as long as the sampling lasts, and some more."""
    cores = choose_cores()
    request = folder / "request.http"
    request.write_bytes(cell.request())
    load = Load(
        cell.load.mode,
        cell.load.connections,
        seconds=options.seconds + 3,
        ramp=cell.load.ramp,
        chunks=cell.load.chunks,
    )
    with on_core(cores.harness), Mock(targets.free_port(), cores.harness) as mock:
        target = targets.start(options.target, folder, mock.port, cores.target)
        running = threading.Thread(
            target=_load_quietly, args=(load, target.port, request, cores.harness)
        )
        running.start()
        try:
            sample(target, options, out)
        finally:
            running.join()
            target.stop()


def _load_quietly(load: Load, port: int, request: Path, core: int) -> None:
    with suppress(HarnessError):  # a target that breaks shows in the benchmark, not here
        run_load(load, port, request, core, lambda: None)


def show(out: Path, top: int) -> None:
    """Prints the functions with the most samples."""
    own, total, samples = shares(out.read_text().splitlines())
    for title, counts in (("self", own), ("total", total), ("file", by_file(own))):
        print(f"\n{title:>6}  of {samples} samples")
        for name, count in counts.most_common(top):
            print(f"{count / samples:>6.1%}  {name}")


def main() -> int:
    """Profiles and prints; 0, or 2 where it could not."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.profile",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cells = {cell.name: cell for cell in all_cells(1)}
    parser.add_argument("--cell", choices=cells, default="chat50")
    parser.add_argument("--target", choices=list(targets.STARTERS)[1:], default="turnout")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--top", type=int, default=25)
    parser.add_argument("--rank", type=int, default=1)
    parser.add_argument("--native", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    raise_file_limit()
    try:
        build()
        with tempfile.TemporaryDirectory(prefix="turnout-profile-") as folder:
            out = options.out or Path(folder) / "stacks.txt"
            profile(cells[options.cell], options, Path(folder), out)
            show(out, options.top)
    except HarnessError as error:
        print(f"profile: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
