"""Drawing: a board and its answers become a picture, by Grafana's own components in a browser."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "grafana"
LOADERS = [f"--loader:.{kind}=dataurl" for kind in ("svg", "woff2", "ttf")]
PRODUCTION = '--define:process.env.NODE_ENV="production"'
BROWSER = ("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
SECONDS_TO_DRAW = 8
PAGE = """\
<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="draw.css">
<body style="margin: 0; background: #111217"><div id="root"></div>
<script>globalThis.SHOWN = {shown}</script><script src="draw.js"></script>
"""
SHRINK = "require('sharp')('large.png').png({{palette: true, effort: 10}}).toFile({picture})"
HEADING, ROW = 72, 38  # pixels of a board's title and of a unit of its height
WIDTH = 1632


def bundled(folder: Path) -> Path:
    """Return a folder with the drawing script and Grafana's components in it, in one file."""
    for name in ("package.json", "draw.jsx"):
        shutil.copy(HERE / name, folder)
    run(folder, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent")
    build = ["--bundle", "--minify", "--jsx=automatic", "--outfile=draw.js", PRODUCTION, *LOADERS]
    run(folder, "node_modules/@esbuild/linux-x64/bin/esbuild", "draw.jsx", *build)
    return folder


def drawn(shown: dict[str, Any], script: Path, picture: Path, height: int | None = None) -> None:
    """Draw a board with what it shows; `script` is the folder that `bundled` made.

    Of a `height`, in Grafana's units, only that much is drawn, from the top.
    """
    board = shown["board"]
    whole = max(each["gridPos"]["y"] + each["gridPos"]["h"] for each in board["panels"])
    bottom = height or whole
    data = json.dumps(shown).replace("<", "\\u003c")
    page = script / f"{board['uid']}.html"
    page.write_text(PAGE.format(shown=data), encoding="utf-8")
    picture.parent.mkdir(exist_ok=True)
    size = f"--window-size={WIDTH},{bottom * ROW + HEADING}"
    budget = f"--virtual-time-budget={1000 * SECONDS_TO_DRAW}"
    run(script, *BROWSER, size, budget, "--screenshot=large.png", page.as_uri())
    run(script, "node", "-e", SHRINK.format(picture=json.dumps(str(picture))))


def run(folder: Path, *command: str) -> None:
    """Run a program in a folder; SystemExit: it failed, with what it said."""
    quiet = {**os.environ, "NPM_CONFIG_UPDATE_NOTIFIER": "false"}
    ran = subprocess.run(  # noqa: S603  # the programs named above
        command, cwd=folder, env=quiet, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise SystemExit(f"{command[0]} failed: {ran.stderr}")
