"""Running turnout as its users do: a program with a configuration, ended by its own pid."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import randbelow
from typing import Any

SECONDS_TO_START = 20.0
SECONDS_TO_END = 15.0
SECONDS_TO_LOG = 10.0
FIRST_PORT = 10_000


@dataclass(frozen=True)
class RunningTurnout:
    """A turnout that is ready: its two listeners, its pid and where its log goes."""

    url: str
    admin_url: str
    pid: int
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        """Return what it logged so far; what is no JSON is left out."""
        text = self.log.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def exchange(self, request_id: str) -> dict[str, Any]:
        """Return the log line of one exchange, once it is there."""
        deadline = time.monotonic() + SECONDS_TO_LOG
        while time.monotonic() < deadline:
            for line in self.lines():
                if line["event"] == "exchange" and line["request_id"] == request_id:
                    return line
            time.sleep(0.05)  # nothing to await: it is another process
        raise AssertionError(f"no line for {request_id} in {self.log}")


def free_port() -> int:
    """Return a port that nobody listens on just now, none of those that the system hands out.

    So nobody who asks for any port, in a test beside this one say, is given it meanwhile.
    """
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = FIRST_PORT + randbelow(first - FIRST_PORT)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def running_turnout(folder: Path, config: str) -> Iterator[RunningTurnout]:
    """Run `turnout serve` in `folder`; `config` is YAML without its listeners."""
    port, admin_port = free_port(), free_port()
    listeners = (
        f"listen: 127.0.0.1:{port}\nadmin: {{listen: '127.0.0.1:{admin_port}'}}\n"
        "drain_seconds: 5\ndrain_grace_seconds: 0\n"
    )
    path = folder / "turnout.yaml"
    path.write_text(listeners + config, encoding="utf-8")
    log = folder / "turnout.log"
    command = [sys.executable, "-m", "proxy", "serve", "--config", str(path)]
    environment = {key: value for key, value in os.environ.items() if key != "TURNOUT_CONFIG"}
    with (
        log.open("wb") as out,
        subprocess.Popen(command, stdout=out, stderr=out, env=environment) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, process, log)
            yield RunningTurnout(url, f"http://127.0.0.1:{admin_port}", process.pid, log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=1):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)  # nothing to await: it is another process
    raise RuntimeError(f"turnout did not get ready:\n{log.read_text(encoding='utf-8')[-4000:]}")
