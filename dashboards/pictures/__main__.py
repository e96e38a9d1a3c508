"""Make the pictures again: `python -m dashboards.pictures` (make pictures).

A real turnout in the traffic of simulated models, a real Prometheus, and Grafana's own components
in a browser. It needs the programs prometheus, npm and chromium, a network to npm's registry, and
as many minutes as are to be seen.
"""

import argparse
import asyncio
import logging
import tempfile
import time
from pathlib import Path
from typing import Any

from dashboards.pictures.asking import Window, answers, chosen, marks, panels
from dashboards.pictures.drawing import bundled, drawn
from tests.dashboards.boards import BOARDS
from tests.support.patience import pace
from tests.support.served import Served
from tests.support.staged import SCRAPE_SECONDS, stage, traffic

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
SPLITS = ({"base": 50, "ft-v2": 40, "ft-v3": 10}, {"base": 30, "ft-v2": 40, "ft-v3": 30})
TOP = 27  # of Variants: the table and two rows of panels, for the README
STEPS = 120  # points of a line
Shown = dict[str, Any]


async def seen(folder: Path, minutes: float) -> dict[str, Shown]:
    """Return what each board shows after so many minutes, in which the split changes twice."""
    async with stage(folder) as (turnout, scraper):
        began = time.time()
        async with traffic(turnout):
            for split in SPLITS:
                await pace(minutes * 60 / 3)
                await change(turnout, split)
            await pace(minutes * 60 / 3)
            step = (time.time() - began) / STEPS
            shown = Window(began, time.time(), step, max(4 * SCRAPE_SECONDS, 5 * step))
            return {name: await answered(scraper, board, shown) for name, board in BOARDS.items()}


async def answered(scraper: Any, board: dict[str, Any], shown: Window) -> Shown:
    """Return a board with all its answers."""
    values = chosen(board)
    return {
        "board": board,
        "window": shown._asdict(),
        "answers": {
            panel["id"]: await answers(scraper, panel, shown, values) for panel in panels(board)
        },
        "marks": await marks(scraper, board, shown, values),
    }


async def change(turnout: Served, weights: dict[str, int]) -> None:
    """Put another split in force."""
    path, body = "/api/v1/routes/support/split", {"weights": weights, "why": "the next step"}
    reply = await turnout.administer("POST", path, body)
    reply.raise_for_status()


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=6.0, help="of traffic to be seen")
    minutes = parser.parse_args().minutes
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # the models', when they are cut off
    with tempfile.TemporaryDirectory(prefix="turnout-pictures-") as folder:
        script = bundled(Path(folder))
        boards = asyncio.run(seen(Path(folder), minutes))
        for name, shown in boards.items():
            drawn(shown, script, PICTURES / f"{name}.png")
        drawn(boards["variants"], script, PICTURES / "side-by-side.png", height=TOP)


if __name__ == "__main__":
    main()
