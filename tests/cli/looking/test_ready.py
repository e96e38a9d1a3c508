import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.support.certificates import make_certificates
from tests.support.scripted_upstream import black_hole_port, refusing_port


@contextmanager
def listener(status: int, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Yield the port of a traffic listener whose /readyz answers so."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_the_exit_code_says_that_it_takes_traffic(run: Run) -> None:
    with listener(200) as port:
        result = run("ready", "--url", f"http://127.0.0.1:{port}")

    assert result.exit_code == 0
    assert result.stdout == f"turnout takes traffic at http://127.0.0.1:{port}\n"


def test_one_that_starts_or_drains_is_not_ready(run: Run) -> None:
    with listener(503) as port:
        result = run("ready", "--url", f"http://127.0.0.1:{port}")

    assert result.exit_code == 1
    assert "it starts, or drains" in result.stderr


def test_the_file_says_where_it_is_whatever_else_is_wrong_with_it(run: Run, folder: Path) -> None:
    with listener(200) as port:
        text = f"listen: 0.0.0.0:{port}\nupstreams: {{a: {{api_key: '${{UNSET}}'}}}}"
        (folder / "turnout.yaml").write_text(text)
        assert run("ready").exit_code == 0
        (folder / "turnout.yaml").rename(folder / "other.yaml")
        assert run("ready", "--config", "other.yaml").exit_code == 0
        assert run("ready", TURNOUT_CONFIG="other.yaml").exit_code == 0
        assert run("ready", "--config", "gone.yaml").exit_code == 2


def test_where_the_file_has_tls_it_asks_so_and_any_certificate_will_do(
    run: Run, folder: Path
) -> None:
    context = make_certificates(folder).server_context()
    with listener(200, context) as port:
        text = f"listen: 127.0.0.1:{port}\ntls: {{certificate: server.pem, key: server.key}}"
        (folder / "turnout.yaml").write_text(text)
        assert run("ready").exit_code == 0


def test_nobody_there_is_told_apart_from_not_ready(run: Run, folder: Path) -> None:
    with refusing_port() as port:
        (folder / "turnout.yaml").write_text(f"listen: 127.0.0.1:{port}")
        result = run("ready")

    assert result.exit_code == 3
    assert f"no answer from http://127.0.0.1:{port} (listen in turnout.yaml)" in result.stderr


def test_it_does_not_wait_longer_than_it_was_told(run: Run) -> None:
    with black_hole_port() as port:
        result = run("ready", "--url", f"http://127.0.0.1:{port}", "--timeout", "50ms")

    assert result.exit_code == 3
    assert "within 0.05 s" in result.stderr


def test_something_else_that_answers_there_is_not_taken_for_it(run: Run) -> None:
    with listener(404) as port:
        result = run("ready", "--url", f"http://127.0.0.1:{port}")

    assert result.exit_code == 3
    assert "is not turnout (status 404)" in result.stderr


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "http://", "http://127.0.0.1:0"])
def test_an_address_that_is_none_is_a_usage_error(run: Run, url: str) -> None:
    result = run("ready", "--url", url)

    assert result.exit_code == 2
    assert "--url is no address" in result.stderr
