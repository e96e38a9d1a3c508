"""`turnout serve` as a person runs it: real processes, real configuration, real exit codes."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any

import pytest
from click.testing import CliRunner, Result

from proxy.cli import main
from proxy.cli.serve import start
from proxy.config.settings import Origin
from proxy.errors import ConfigError

SECONDS = 30
FILE = """
upstreams: {u: {base_url: %s}}
routes: {support: {variants: {base: {upstream: u, model: m}}, split: {base: 100}}}
"""
ANSWER = {
    "id": "x",
    "object": "chat.completion",
    "model": "m",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}


class Model(BaseHTTPRequestHandler):
    """A model that always says the same."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
        """Say nothing."""


@pytest.fixture
def model() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Model) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run `turnout serve` in `folder` until it is ready; yields it and its two URLs."""
    command = [sys.executable, "-m", "proxy", "serve", *arguments]
    command += ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
    environment = {key: value for key, value in os.environ.items() if key != "TURNOUT_CONFIG"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=folder, stdout=pipe, stderr=pipe, env=environment, text=True
    ) as process:
        assert process.stderr is not None
        try:
            yield process, [told(process.stderr, where) for where in ("traffic", "administration")]
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=SECONDS)


def told(stderr: IO[str], where: str) -> str:
    """Return the URL that it says, after whatever else it says."""
    return next(line.split()[-1] for line in stderr if f"{where} on http" in line)


def ask(url: str) -> int:
    body = json.dumps({"model": "support", "messages": [{"role": "user", "content": "Hello"}]})
    request = urllib.request.Request(
        f"{url}/chat/completions", body.encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as reply:
        reply.read()
        status: int = reply.status
    return status


def test_it_serves_the_file_logs_every_exchange_and_ends_with_0(
    tmp_path: Path, model: str
) -> None:
    (tmp_path / "turnout.yaml").write_text(FILE % model)
    with serving(tmp_path, "--workers", "2") as (process, (url, admin)):
        assert ask(url) == 200
        with urllib.request.urlopen(f"{admin}/healthz", timeout=SECONDS) as reply:
            assert reply.status == 200
        process.send_signal(signal.SIGINT)
        logged, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    lines = [json.loads(line) for line in logged.splitlines()]
    (exchange,) = [line for line in lines if line["event"] == "exchange"]
    assert (exchange["route"], exchange["variant_served"]) == ("support", "base")
    assert (exchange["status"], exchange["prompt_tokens"]) == (200, 3)


def test_without_a_file_everything_goes_to_the_upstream(tmp_path: Path, model: str) -> None:
    with serving(tmp_path, "--upstream", model) as (process, (url, _)):
        assert ask(url) == 200
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=SECONDS)
    assert process.returncode == 0


def run(*arguments: str) -> Result:
    return CliRunner(env={"TURNOUT_CONFIG": None}).invoke(main, ["serve", *arguments])


def test_a_file_with_problems_is_exit_code_1_and_every_problem(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("upstreams: {u: {base_url: nonsense}}\nworkers: none\n")
    result = run("--config", str(file))
    assert result.exit_code == 1
    assert "base_url" in result.stderr
    assert "workers" in result.stderr


def test_a_file_that_is_not_there_is_exit_code_2(tmp_path: Path) -> None:
    assert run("--config", str(tmp_path / "missing.yaml")).exit_code == 2


def test_the_file_may_be_named_without_an_option_as_check_takes_it(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("upstreams: {u: {base_url: nonsense}}\n")
    assert run(str(file)).stderr == run("--config", str(file)).stderr
    assert run(str(tmp_path / "missing.yaml")).exit_code == 2


@pytest.mark.parametrize("other", [("--config", "b.yaml"), ("--upstream", "http://sim/v1")])
def test_a_file_beside_another_is_a_usage_error(other: tuple[str, str]) -> None:
    result = run("a.yaml", *other)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr


def test_an_upstream_that_is_no_url_is_exit_code_1() -> None:
    result = run("--upstream", "nonsense")
    assert result.exit_code == 1
    assert "URL" in result.stderr


def test_an_address_in_use_is_exit_code_3(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        upstream = ("--upstream", "http://127.0.0.1:1/v1", "--data", str(tmp_path))
        result = run(*upstream, "--listen", address)
    assert result.exit_code == 3
    assert f"can't listen on {address}" in result.stderr


def test_the_environment_may_name_the_data_directory(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        environment = {"TURNOUT_CONFIG": None, "TURNOUT_DATA": str(tmp_path / "kept")}
        words = ["serve", "--upstream", "http://127.0.0.1:1/v1", "--listen", address]
        assert CliRunner(env=environment).invoke(main, words).exit_code == 3
    assert (tmp_path / "kept" / "lock").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--workers", "0"),
        ("--workers", "many"),
        ("--listen", "nowhere"),
        ("--admin", "127.0.0.1:99999"),
        ("--drain-seconds", "-1"),
        ("--log-format", "xml"),
    ],
)
def test_an_option_that_makes_no_sense_is_a_usage_error(arguments: tuple[str, str]) -> None:
    result = run("--upstream", "http://127.0.0.1:1/v1", *arguments)
    assert result.exit_code == 2
    assert arguments[0] in result.stderr


def test_a_file_and_an_upstream_are_a_usage_error() -> None:
    result = run("--upstream", "http://127.0.0.1:1/v1", "--config", "turnout.yaml")
    assert result.exit_code == 2
    assert "leave out the file" in result.stderr


def test_options_go_before_what_the_file_says(tmp_path: Path) -> None:
    file = tmp_path / "turnout.yaml"
    file.write_text(FILE % "http://sim")
    none = dict.fromkeys(("listen", "admin", "workers", "log_format", "drain_seconds", "data"))
    before = start(str(file), None, strict=False, **none)
    after = start(
        str(file),
        None,
        strict=False,
        listen="[::1]:1",
        admin=":2",
        workers="3",
        log_format="console",
        drain_seconds=4.0,
        data="elsewhere",
    )
    assert (after.listen_host, after.listen_port) == ("::1", 1)
    assert (after.admin_host, after.admin_port) == ("0.0.0.0", 2)
    assert after.workers == after.data_plane.workers == 3
    assert (after.log_format, after.drain_seconds) == ("console", 4.0)
    assert (before.data_dir, after.data_dir) == (str(tmp_path / "turnout-data"), "elsewhere")
    assert before.origin == Origin(file=str(file))
    assert after.origin.given["workers"] == 3


@pytest.mark.parametrize("data", [None, "elsewhere"])
def test_a_bad_file_is_started_on_with_the_last_good_one_unless_that_is_forbidden(
    tmp_path: Path, data: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "turnout.yaml"
    folder = tmp_path / (data or "turnout-data")
    folder.mkdir()
    (folder / "last-good.yaml").write_text(FILE % "http://sim")
    file.write_text((FILE % "nonsense") + "workers: none\n")
    given = dict.fromkeys(("listen", "admin", "workers", "log_format", "drain_seconds"))
    path = data and str(folder)

    settings = start(str(file), None, strict=False, **given, data=path)

    assert settings.data_plane.upstreams["u"].host == "sim"
    assert settings.data_dir == str(folder)
    assert settings.origin.file == str(file)
    said = capsys.readouterr().err
    assert "STARTING ON THE LAST GOOD CONFIGURATION" in said
    assert "base_url" in said
    assert "workers" in said
    with pytest.raises(ConfigError, match="base_url"):
        start(str(file), None, strict=True, **given, data=path)


def test_a_file_that_is_not_there_is_no_bad_file(tmp_path: Path) -> None:
    (tmp_path / "turnout-data").mkdir()
    (tmp_path / "turnout-data" / "last-good.yaml").write_text(FILE % "http://sim")
    assert run(str(tmp_path / "missing.yaml")).exit_code == 2
