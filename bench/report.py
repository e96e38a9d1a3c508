"""Tables of a run's results, in Markdown that reads well in a terminal too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from bench.run import Measured

BEGIN = "<!-- benchmark: written by `python -m bench --publish` -->"
END = "<!-- /benchmark -->"
HEADS = {"fastapi+httpx2": "fastapi+httpx2, tuned"}  # of columns whose target's name is not all
NOTHING = "-"
BUSY = 0.5  # load average above which others took the cores away


def _plain(cell: str, figure: str) -> Callable[[Measured, str], float]:
    return lambda medians, target: medians[cell][target][figure]


def _added(cell: str, figure: str) -> Callable[[Measured, str], float]:
    """Over direct; direct itself shows what was subtracted."""

    def read(medians: Measured, target: str) -> float:
        own = medians[cell][target][figure]
        return own if target == "direct" else own - medians[cell]["direct"][figure]

    return read


ROWS: tuple[tuple[str, str, Callable[[Measured, str], float]], ...] = (
    ("CPU us/request, 50 connections", ".1f", _plain("chat50", "cpu_us")),
    ("... 10 connections", ".1f", _plain("chat10", "cpu_us")),
    ("... 200 connections", ".1f", _plain("chat200", "cpu_us")),
    ("... 50 KB body, 50 connections", ".1f", _plain("large50", "cpu_us")),
    ("requests/s on one core, 50 connections", ",.0f", _plain("chat50", "per_second")),
    ("added p50 at 300/s, 1 connection, ms", ".3f", _added("one", "latency_p50_ms")),
    ("... p99", ".3f", _added("one", "latency_p99_ms")),
    ("added p50 at 300/s, 16 connections, ms", ".3f", _added("rate", "latency_p50_ms")),
    ("... p99", ".3f", _added("rate", "latency_p99_ms")),
    ("CPU us/request at 300/s", ".0f", _plain("rate", "cpu_us")),
    ("CPU us/chunk, 200 streams, 40 ms apart", ".1f", _plain("stream", "cpu_us")),
    ("... streams of 200 chunks, not 50", ".1f", _plain("long", "cpu_us")),
    ("... back to back", ".1f", _plain("burst", "cpu_us")),
    ("added TTFT p50, 200 streams, ms", ".3f", _added("stream", "ttft_p50_ms")),
    ("... p99", ".3f", _added("stream", "ttft_p99_ms")),
    ("added chunk latency p50, ms", ".3f", _added("stream", "chunk_p50_ms")),
    ("... p99", ".3f", _added("stream", "chunk_p99_ms")),
    ("MB per 1,000 open idle streams", ".1f", _plain("idle", "mb_per_1000")),
    ("MB before the first stream", ".0f", _plain("idle", "mb_idle")),
    ("of 5,000 streams, open at the end", ",.0f", _plain("many", "open")),
    ("... CPU us/chunk, a chunk a second each", ".1f", _plain("many", "cpu_us")),
    ("mock and load together, CPU us/request", ".1f", _plain("chat50", "harness_us")),
    ("... us/chunk, 40 ms apart", ".1f", _plain("stream", "harness_us")),
)


def figures_table(medians: Measured, names: Sequence[str]) -> str:
    """A row a figure, a column a target."""
    rows = []
    for title, form, read in ROWS:
        shown = [_show(medians, name, read, form) for name in names]
        if any(text != NOTHING for text in shown):
            rows.append([title, *shown])
    return _table(["", *(HEADS.get(name, name) for name in names)], rows)


def _show(medians: Measured, name: str, read: Callable[[Measured, str], float], form: str) -> str:
    try:
        return format(read(medians, name), form)
    except KeyError:
        return NOTHING


def bars_table(bars: Iterable[dict[str, Any]]) -> str:
    """A row a bar, with the verdict."""
    verdicts = {True: "pass", False: "FAIL", None: "not measured"}
    return _table(
        ["bar", "at most", "measured", ""],
        [
            [
                bar["text"],
                f"{bar['limit']:g}",
                NOTHING if bar["value"] is None else f"{bar['value']:.3g}",
                verdicts[bar["passed"]],
            ]
            for bar in bars
        ],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
        return "| " + " | ".join([first, *rest]) + " |"

    rule = "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])])
    return "\n".join([line(head), f"|{rule}|", *map(line, rows)])


def render(results: dict[str, Any]) -> str:
    """The whole section: where and when, figures, bars, and what went wrong."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    parts = [
        _circumstances(results),
        f"Versions: {versions}. Command: `{results['command']}`",
        figures_table(results["medians"], results["targets"]),
        bars_table(results["bars"]),
        "\n".join(_notes(results)),
    ]
    return "\n\n".join(parts).rstrip() + "\n"


def _circumstances(results: dict[str, Any]) -> str:
    machine, load = results["machine"], results["load_average"]
    return (
        f"{results['date']}, {machine['cpu']}, {machine['cores']} cores, Linux "
        f"{machine['kernel']}; load average {load['before']:.2f} before, {load['after']:.2f} "
        f"after; {results['rounds_run']} rounds of {results['seconds']:g} s a cell."
    )


def _notes(results: dict[str, Any]) -> list[str]:
    notes = [f"- not measured: {name}: {why}" for name, why in results["skipped"].items()]
    notes += [f"- {problem}" for problem in results["problems"]]
    if results["load_average"]["before"] > BUSY:
        notes.append("- the machine was busy with other work: take these figures as noise")
    if results["machine"]["cores"] == "1":
        notes.append("- one core only: target, mock and load shared it")
    return notes


def publish(results: dict[str, Any], page: Path) -> None:
    """Replaces what stands between the page's two marks."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{render(results)}\n{END}{after}")
