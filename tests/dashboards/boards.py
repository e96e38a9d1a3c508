"""The boards' files, as the tests of this folder read them."""

import json
from typing import Any

from tests.frame.source import ROOT

FOLDER = ROOT / "dashboards"
NAMES = ("overview", "variants", "upstreams", "turnout")

Board = dict[str, Any]

BOARDS: dict[str, Board] = {
    name: json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES
}
