"""How the steps of a release run other programs, and how they say what they did."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 300
BIN = Path(sys.executable).parent


class Failed(Exception):
    """Something is not as a release must have it; the message says what."""


def run(
    *command: str | Path,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> str:
    """Run a program and return its stdout; Failed, with its words, where it did not end with 0."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        output = f"{done.stdout}\n{done.stderr}".strip()
        raise Failed(f"{' '.join(words)} ended with {done.returncode}:\n{output}")
    return done.stdout


def said(line: str) -> None:
    """Print one line of progress at once, also where stdout is a pipe."""
    print(line, flush=True)
