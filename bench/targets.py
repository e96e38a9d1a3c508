"""What is measured: how each target is configured, started, found ready and stopped."""

from __future__ import annotations

import http.client
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.machine import cpu_seconds, family, memory_bytes, on_core
from bench.programs import HarnessError, chat_body

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent
START_SECONDS = 30
STOP_SECONDS = 10
DROPPED = re.compile(r"turnout_(observations|log_lines)_dropped_total[ {]")

NGINX_CONFIG = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log warn;
worker_processes 1;
worker_rlimit_nofile {files};
{user}
events {{ worker_connections 16384; }}
http {{
    access_log {folder}/nginx-access.log combined;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    client_body_buffer_size 128k;  # else a 50 KB body goes through a file
    keepalive_requests 1000000000;
    upstream mock {{
        server 127.0.0.1:{upstream};
        keepalive 512;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://mock;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_read_timeout 600s;
        }}
    }}
}}
"""

TURNOUT_CONFIG = """\
listen: 127.0.0.1:{port}
admin: {{listen: 127.0.0.1:{admin}}}
workers: 1
upstreams:
  mock: {{base_url: "http://127.0.0.1:{upstream}/v1", connections: 16384}}
routes:
  bench:
    variants:
      base: {{upstream: mock, model: bench-model}}
      ft: {{upstream: mock, model: bench-model-ft}}
    split: {{base: 90, ft: 10}}
    sticky: user
drain_grace_seconds: 0
drain_seconds: 1
"""


@dataclass
class Target:
    """A running target. `process` is None for direct, which is the mock itself."""

    name: str
    port: int
    process: subprocess.Popen[bytes] | None = None
    metrics_port: int | None = None

    def processes(self) -> set[int]:
        """The process that was started and all its descendants."""
        return family(self.process.pid) if self.process else set()

    def cpu_seconds(self) -> float:
        """User and system time of all its processes together."""
        return cpu_seconds(self.processes())

    def memory_bytes(self) -> int:
        """Memory of all its processes together."""
        return memory_bytes(self.processes())

    def dropped(self) -> float:
        """Observations and log lines that it says it dropped so far: cheap, but not the work."""
        if self.metrics_port is None:
            return 0.0
        lines = read_metrics(self.metrics_port).splitlines()
        return sum(float(line.split()[-1]) for line in lines if DROPPED.match(line))

    def stop(self) -> None:
        """Asks it to end, and ends whatever is left after a while."""
        if self.process is None:
            return
        remaining = self.processes()
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for pid in remaining & self.processes():
                os.kill(pid, 9)
            self.process.wait()


def read_metrics(port: int) -> str:
    """What /metrics says; HarnessError where it says nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException) as error:
        raise HarnessError(f"no metrics: {error}") from None
    finally:
        connection.close()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _spawn(argv: list[str], log: Path, **environment: str) -> subprocess.Popen[bytes]:
    """Starts a target from the repository's root, its output in a file as in production."""
    with log.open("wb") as out:
        return subprocess.Popen(
            argv,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )


def _direct(_folder: Path, upstream: int) -> Target:
    return Target("direct", upstream)


def _nginx(folder: Path, upstream: int) -> Target:
    port, config = free_port(), folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # its worker must reach our folder
    files = os.sysconf("SC_OPEN_MAX")
    config.write_text(
        NGINX_CONFIG.format(folder=folder, port=port, upstream=upstream, user=user, files=files)
    )
    argv = [
        nginx_command() or "nginx",
        "-e",
        str(folder / "nginx-start.log"),
        "-c",
        str(config),
        "-p",
        str(folder),
    ]
    return Target("nginx", port, _spawn(argv, folder / "nginx.log"))


def _turnout(folder: Path, upstream: int) -> Target:
    port, admin, config = free_port(), free_port(), folder / "turnout.yaml"
    config.write_text(TURNOUT_CONFIG.format(port=port, admin=admin, upstream=upstream))
    argv = [str(turnout_command()), "serve", "--config", str(config)]
    return Target("turnout", port, _spawn(argv, folder / "turnout.log"), admin)


def _textbook(library: str, *, tuned: bool) -> Callable[[Path, int], Target]:
    name = f"fastapi+{library}"

    def start_it(folder: Path, upstream: int) -> Target:
        port, address = free_port(), f"http://127.0.0.1:{upstream}"
        argv = [sys.executable, "-m", "uvicorn", "bench.textbook:app"]
        argv += ["--port", str(port), "--backlog", "4096"]
        environment = {"UPSTREAM": address, "HTTPX": library, "TUNED": str(int(tuned))}
        process = _spawn(argv, folder / f"{name}.log", **environment)
        return Target(name, port, process)

    return start_it


def nginx_command() -> str | None:
    """nginx, which Debian keeps where only root's PATH leads, or None."""
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")


def turnout_command() -> Path:
    """The command that belongs to this Python."""
    return Path(sys.executable).parent / "turnout"


STARTERS: dict[str, Callable[[Path, int], Target]] = {
    "direct": _direct,
    "nginx": _nginx,
    "turnout": _turnout,
    "fastapi+httpx2": _textbook("httpx2", tuned=True),
    "fastapi+httpx": _textbook("httpx", tuned=False),
}


def missing(name: str) -> str | None:
    """Why a target cannot be measured here, or None."""
    if name == "nginx" and nginx_command() is None:
        return "nginx is not installed (apt-get install nginx-light)"
    if name == "turnout" and not turnout_command().exists():
        return f"there is no {turnout_command()} (uv sync)"
    _, plus, library = name.partition("+")
    if plus and importlib.util.find_spec(library) is None:
        return f"{library} is not installed (uv pip install {library})"
    return None


def start(name: str, folder: Path, upstream: int, core: int) -> Target:
    """Starts a target on `core` and waits until it has answered a chat request."""
    try:
        with on_core(core):
            target = STARTERS[name](folder, upstream)
    except OSError as error:
        raise HarnessError(f"{name} did not start: {error}") from None
    deadline = time.monotonic() + START_SECONDS
    while not _answers(target.port):
        if time.monotonic() > deadline or (target.process and target.process.poll() is not None):
            target.stop()
            log = folder / f"{name}.log"
            raise HarnessError(f"{name} did not start:\n{_tail(log)}")
        time.sleep(0.05)
    return target


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:] if log.exists() else "(it wrote nothing)"


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(
            "POST",
            "/v1/chat/completions",
            chat_body(1500, stream=False),
            {"content-type": "application/json"},
        )
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
