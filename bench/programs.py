"""The C programs: built once, run on the harness's core, and the requests that they send."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from bench.machine import cpu_seconds, on_core

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Path(__file__).parent
BIN = HERE / "bin"
FLAGS = ("-O2", "-std=gnu17", "-Wall", "-Wextra")

# What the openai client sends with a request, besides the body's type and length.
CLIENT_HEADERS = (
    "Host: 127.0.0.1",
    "Accept-Encoding: gzip, deflate",
    "Connection: keep-alive",
    "Accept: application/json",
    "Content-Type: application/json",
    "User-Agent: OpenAI/Python 3.54.0",
    "X-Stainless-Lang: python",
    "X-Stainless-Package-Version: 3.54.0",
    "X-Stainless-OS: Linux",
    "X-Stainless-Arch: x64",
    "X-Stainless-Runtime: CPython",
    "X-Stainless-Runtime-Version: 3.11.7",
    "Authorization: Bearer sk-bench-0123456789abcdef",
    "x-stainless-retry-count: 0",
)


class HarnessError(Exception):
    """The benchmark itself failed: nothing was measured."""


def build() -> None:
    """Compiles the programs, unless they are newer than every source."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise HarnessError("no C compiler: install one that is called cc (apt-get install gcc)")
    BIN.mkdir(exist_ok=True)
    newest = max(source.stat().st_mtime for source in HERE.glob("*.[ch]"))
    for name in ("mock", "load"):
        program = BIN / name
        if not program.exists() or program.stat().st_mtime < newest:
            subprocess.run([compiler, *FLAGS, "-o", program, HERE / f"{name}.c"], check=True)


def chat_body(size: int, *, stream: bool) -> bytes:
    """A chat request of exactly `size` bytes, as a client would write it."""
    frame: dict[str, Any] = {
        "messages": [
            {"role": "system", "content": "You answer questions about orders, kindly and short."},
            {"role": "user", "content": ""},
        ],
        "model": "bench",
        "stream": stream,
        "temperature": 0.2,
        "user": "customer-4711",
    }
    words = "Where is my order, and can it still be sent to another address? "
    room = size - len(json.dumps(frame))
    frame["messages"][1]["content"] = (words * (room // len(words) + 1))[:room]
    return json.dumps(frame).encode()


def chat_request(size: int, *, stream: bool = False, mock: str = "") -> bytes:
    """A whole request as it goes over the wire; `mock` is what the mock is told to stream."""
    body = chat_body(size, stream=stream)
    lines = ["POST /v1/chat/completions HTTP/1.1", *CLIENT_HEADERS]
    if mock:
        lines.append(f"X-Mock: {mock}")
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class Mock:
    """The mock upstream, running on `core`; a context manager."""

    def __init__(self, port: int, core: int) -> None:
        self.port = port
        with on_core(core):
            self._process = subprocess.Popen([BIN / "mock", str(port)], stdout=subprocess.PIPE)

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"ready\n":
            raise HarnessError("the mock upstream did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def cpu_seconds(self) -> float:
        return cpu_seconds({self._process.pid})


@dataclass(frozen=True)
class Load:
    """One run of the load generator; durations in seconds."""

    mode: str  # closed | open | stream
    connections: int
    seconds: float
    warm: float = 0.3
    ramp: float = 0.05
    rate: int = 300  # requests a second, in mode open
    chunks: int = 1  # of each stream, in mode stream

    def arguments(self, port: int, request: Path) -> list[str]:
        """The load generator's command line."""
        pairs: Sequence[tuple[str, object]] = (
            ("--port", port),
            ("--request", request),
            ("--connections", self.connections),
            ("--seconds", self.seconds),
            ("--warm", self.warm),
            ("--ramp", self.ramp),
            ("--rate", self.rate),
            ("--chunks", self.chunks),
        )
        return [self.mode, *(str(word) for pair in pairs for word in pair)]


def run_load(
    load: Load, port: int, request: Path, core: int, begun: Callable[[], None]
) -> dict[str, Any]:
    """Runs one load on `core` and calls `begun` when its warm-up is over; returns its figures."""
    with on_core(core):
        process = subprocess.Popen(
            [BIN / "load", *load.arguments(port, request)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    with process:
        assert process.stdout is not None
        figures = _read_figures(process.stdout, begun)
        complaint = process.stderr.read().decode().strip() if process.stderr else ""
    if figures is None:
        raise HarnessError(f"the load generator gave no figures: {complaint}")
    return figures


def _read_figures(lines: IO[bytes], begun: Callable[[], None]) -> dict[str, Any] | None:
    for line in lines:
        if line == b"measuring\n":
            begun()
        else:
            figures: dict[str, Any] = json.loads(line)
            return figures
    return None
