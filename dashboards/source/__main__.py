"""Write the boards' JSON again: `python -m dashboards.source`; a test compares the two."""

from pathlib import Path

from dashboards.source import boards

FOLDER = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    for name, board in boards().items():
        (FOLDER / f"{name}.json").write_text(board.json(), encoding="utf-8")
