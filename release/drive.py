"""The wheel as a user has it: a fresh environment, locked requirements, and every first command.

Nothing of the repository is in reach: commands run in a folder of their own.
"""

import http.client
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from release.running import Failed, run, said

REPLY = b'{"object": "chat.completion", "choices": [{"message": {"content": "in the depot"}}]}'
QUESTION = {"model": "tiny", "messages": [{"role": "user", "content": "Where is my parcel?"}]}
FILE = """\
upstreams: {local: {base_url: http://127.0.0.1:9/v1}}
routes: {support: {variants: {base: {upstream: local, model: tiny}}}}
"""
LISTENS = re.compile(r"traffic on http://(127\.0\.0\.1:\d+)/v1")
SECONDS = 60.0


def drive(wheel: Path, requirements: Path, folder: Path) -> None:
    """Install the wheel on its locked requirements, and use it; Failed at the first surprise."""
    installed = folder / "installed"
    run(sys.executable, "-m", "venv", installed)
    pip = (installed / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "install", "--require-hashes", "--only-binary", ":all:", "-r", requirements)
    run(*pip, "install", "--no-deps", "--no-index", wheel)
    run(*pip, "check")
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    use(installed / "bin" / "turnout", elsewhere, wheel.name.split("-")[1])


def use(turnout: Path, folder: Path, version: str) -> None:
    """Ask the installed command for all that a newcomer asks it for."""
    told = run(turnout, "--version", cwd=folder).strip()
    if told != f"turnout, version {version}":
        raise Failed(f"turnout --version says {told!r}")
    (folder / "turnout.yaml").write_text(FILE, encoding="utf-8")
    run(turnout, "check", "--json", cwd=folder)
    with upstream() as address:
        ask(turnout, folder, address)
    run(turnout, "demo", "--seconds", "6", "--plain", cwd=folder)
    said("installed from the wheel: --version, check, serve and demo do as they should")


@contextmanager
def upstream() -> Iterator[str]:
    """Run a model server that answers all with the same words; yield its base URL."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


class Answering(http.server.BaseHTTPRequestHandler):
    """One reply to whatever is asked."""

    def do_POST(self) -> None:
        """Answer a request."""
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(REPLY)))
        self.end_headers()
        self.wfile.write(REPLY)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its caller's name
        """Say nothing: the release has lines of its own."""


def ask(turnout: Path, folder: Path, address: str) -> None:
    """Serve without a file, ask once, end it: the reply byte for byte, and exit code 0."""
    command = [str(turnout), "serve", "--upstream", address, "--data", str(folder / "data")]
    anywhere = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
    log = (folder / "log").open("wb")
    with (
        log,
        subprocess.Popen(
            [*command, *anywhere], cwd=folder, stdout=log, stderr=subprocess.PIPE, text=True
        ) as serving,
    ):
        watchdog = threading.Timer(SECONDS, serving.kill)
        watchdog.start()
        try:
            listener = listening(serving)
            found = reply(listener)
        finally:
            os.kill(serving.pid, signal.SIGINT)
            code = serving.wait()
            watchdog.cancel()
    if found != REPLY or code != 0:
        raise Failed(f"turnout serve answered {found!r} and ended with {code}")
    if b'"event":"exchange"' not in (folder / "log").read_bytes():
        raise Failed("turnout serve logged no exchange")


def listening(serving: subprocess.Popen[str]) -> str:
    """Return host and port of the traffic listener, as turnout says them."""
    lines = []
    for line in serving.stderr or ():
        lines.append(line)
        match = LISTENS.search(line)
        if match:
            return match[1]
    raise Failed(f"turnout serve did not say where it listens: {''.join(lines)}")


def reply(listener: str) -> bytes:
    """Ask for a completion, as any client would."""
    connection = http.client.HTTPConnection(listener, timeout=SECONDS)
    headers = {"content-type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps(QUESTION), headers)
    return connection.getresponse().read()
