import sys

import pytest

from bench import targets
from bench.__main__ import main
from bench.cells import Cell
from bench.machine import choose_cores
from bench.programs import Load, build
from bench.run import Plan, run

CELLS = [
    Cell("chat10", "10 connections", Load("closed", 10, 0.2, warm=0.05)),
    Cell(
        "idle",
        "idle streams",
        Load("stream", 50, 0.1, warm=0.2, chunks=9),
        unit="stream",
        mock="idle 9",
        without=("direct",),
    ),
]


@pytest.mark.skipif(targets.missing("nginx") is not None, reason=str(targets.missing("nginx")))
def test_a_round_measures_every_target_in_every_cell() -> None:
    build()
    said: list[str] = []
    gathered = run(Plan(CELLS, ["direct", "nginx"], 1, choose_cores(), said.append))
    medians = gathered.medians()
    assert gathered.problems == []
    assert set(medians["chat10"]) == {"direct", "nginx"}
    assert medians["chat10"]["nginx"]["cpu_us"] > 0
    assert medians["chat10"]["nginx"]["units"] > 100
    assert set(medians["idle"]) == {"nginx"}
    assert medians["idle"]["nginx"]["open"] == 50
    assert medians["idle"]["nginx"]["mb_per_1000"] > 0
    assert any("nginx" in line for line in said)


def test_a_target_that_does_not_start_is_a_problem_and_not_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    build()
    monkeypatch.setattr(sys, "executable", sys.executable + "-of-another-world")
    monkeypatch.setattr(targets, "START_SECONDS", 1)
    gathered = run(Plan(CELLS[:1], ["fastapi+httpx2", "direct"], 1, choose_cores(), print))
    assert set(gathered.medians()["chat10"]) == {"direct"}
    assert len(gathered.problems) == 1


def test_a_cell_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "chat51"]) == 2
    assert "no such cell: chat51" in capsys.readouterr().err
