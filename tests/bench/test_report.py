from pathlib import Path
from typing import Any

from bench import report
from bench.bars import judge_all
from bench.profile import by_file, shares

MEDIANS = {
    "chat50": {
        "nginx": {"cpu_us": 20.0, "failed": 0.0},
        "turnout": {"cpu_us": 80.0, "failed": 0.0},
    },
    "one": {
        "direct": {"latency_p50_ms": 0.1, "failed": 0.0},
        "turnout": {"latency_p50_ms": 0.4, "failed": 0.0},
    },
}
RESULTS: dict[str, Any] = {
    "date": "2026-01-01T00:00:00+00:00",
    "command": "python -m bench",
    "machine": {"cpu": "a processor", "cores": "2", "kernel": "6.1"},
    "versions": {"nginx": "1.22.1"},
    "load_average": {"before": 0.1, "after": 1.0},
    "rounds_run": 3,
    "seconds": 2.0,
    "targets": ["direct", "nginx", "turnout"],
    "skipped": {},
    "problems": [],
    "medians": MEDIANS,
    "bars": judge_all([MEDIANS]),
}


def row(text: str, start: str) -> list[str]:
    [line] = [line for line in text.splitlines() if line.startswith(f"| {start}")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_a_latency_is_shown_as_what_is_added_over_direct() -> None:
    assert row(report.render(RESULTS), "added p50 at 300/s, 1 conn") == ["0.100", "-", "0.300"]


def test_a_figure_that_nobody_measured_has_no_row() -> None:
    assert "50 KB body, 50 connections" not in report.render(RESULTS)


def test_a_bar_is_shown_with_its_verdict() -> None:
    assert row(report.render(RESULTS), "50 connections: CPU a request, x") == ["6", "4", "pass"]


def test_what_was_skipped_is_said_with_the_reason() -> None:
    text = report.render({**RESULTS, "skipped": {"nginx": "nginx is not installed"}})
    assert "not measured: nginx: nginx is not installed" in text


def test_a_busy_machine_is_said() -> None:
    text = report.render({**RESULTS, "load_average": {"before": 3.0, "after": 3.0}})
    assert "take these figures as noise" in text


def test_publishing_replaces_what_stands_between_the_marks_and_nothing_else(
    tmp_path: Path,
) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"before\n\n{report.BEGIN}\nold\n{report.END}\n\nafter\n")
    report.publish(RESULTS, page)
    report.publish(RESULTS, page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert text.count("| CPU us/request, 50 connections") == 1
    assert "old" not in text


def test_a_profile_counts_a_function_once_a_stack() -> None:
    own, total, samples = shares(["main;walk;walk 3", "main;send 1"])
    assert samples == 4
    assert own == {"walk": 3, "send": 1}
    assert total == {"main": 4, "walk": 3, "send": 1}


def test_a_profile_adds_up_what_a_files_functions_took_themselves() -> None:
    own, _, _ = shares(["main (a.py:1);walk (b.py:9) 3", "main (a.py:1);send (b.py:70) 1"])
    assert by_file(own) == {"b.py": 4}
