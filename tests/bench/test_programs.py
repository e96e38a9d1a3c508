"""The C programs against each other: briefly, for what they count must be right."""

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.cells import all_cells
from bench.machine import choose_cores
from bench.programs import HarnessError, Load, Mock, build, chat_body, chat_request, run_load
from bench.targets import free_port

CORE = choose_cores().harness

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler called cc")


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    build()


@pytest.fixture
def mock() -> Iterator[Mock]:
    with Mock(free_port(), CORE) as running:
        yield running


def run(load: Load, port: int, request: bytes, folder: Path) -> dict[str, Any]:
    file = folder / "request.http"
    file.write_bytes(request)
    return run_load(load, port, file, CORE, lambda: None)


@pytest.mark.parametrize("size", [1_500, 50_000])
def test_a_chat_body_has_exactly_the_size_that_was_asked_for(size: int) -> None:
    body = chat_body(size, stream=False)
    assert len(body) == size
    assert json.loads(body)["model"] == "bench"


def test_every_cell_builds_a_request() -> None:
    for cell in all_cells(1):
        assert cell.request().startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")


@pytest.mark.parametrize("size", [1_500, 50_000])
def test_closed_connections_get_whole_replies(mock: Mock, tmp_path: Path, size: int) -> None:
    load = Load("closed", 5, seconds=0.1, warm=0.02)
    got = run(load, mock.port, chat_request(size), tmp_path)
    assert got["failed"] == 0
    assert got["requests"] + got["late"] == got["latency"]["count"] > 5


@pytest.mark.alone
def test_an_open_load_keeps_its_rate(mock: Mock, tmp_path: Path) -> None:
    load = Load("open", 4, seconds=0.2, warm=0.02, rate=500)
    got = run(load, mock.port, chat_request(1_500), tmp_path)
    assert got["failed"] == 0
    assert 80 <= got["requests"] <= 120


def test_requests_under_way_at_the_end_are_waited_for(tmp_path: Path) -> None:
    reply = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=answer_late, args=(listener, reply))
        serving.start()
        port: int = listener.getsockname()[1]
        got = run(Load("closed", 1, seconds=0.05, warm=0.0), port, chat_request(1_500), tmp_path)
        serving.join()
    assert (got["requests"], got["late"], got["failed"]) == (0, 1, 0)
    assert got["latency"]["p99_us"] > 200_000


@pytest.mark.parametrize("kind", ["stream", "burst"])
def test_streams_come_whole_and_one_after_the_other(mock: Mock, tmp_path: Path, kind: str) -> None:
    load = Load("stream", 3, seconds=0.4, warm=0.02, chunks=4)
    request = chat_request(1_500, stream=True, mock=f"{kind} 4")
    got = run(load, mock.port, request, tmp_path)
    assert got["failed"] == 0
    assert got["requests"] >= 3
    assert got["ttft"]["count"] >= 3
    assert got["chunk"]["count"] == got["chunks"]


def test_idle_streams_stay_open(mock: Mock, tmp_path: Path) -> None:
    load = Load("stream", 20, seconds=0.1, warm=0.1, chunks=9)
    got = run(load, mock.port, chat_request(1_500, stream=True, mock="idle 9"), tmp_path)
    assert (got["failed"], got["open"], got["chunks"]) == (0, 20, 0)


def test_a_stream_with_chunks_missing_counts_as_failed(mock: Mock, tmp_path: Path) -> None:
    load = Load("stream", 1, seconds=0.1, warm=0.02, chunks=5)
    got = run(load, mock.port, chat_request(1_500, stream=True, mock="burst 4"), tmp_path)
    assert got["failed"] > 0
    assert got["requests"] == 0
    assert got["first_failure"] == "a stream ended with chunks missing"


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", "a status other than 200"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab", "more bytes than the head promised"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab", "the connection was closed"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "a reply without framing"),
    ],
)
def test_a_reply_that_is_not_right_counts_as_failed(
    tmp_path: Path, reply: bytes, why: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=answer_always, args=(listener, reply))
        serving.start()
        port: int = listener.getsockname()[1]
        got = run(Load("closed", 1, seconds=0.1, warm=0.0), port, chat_request(1_500), tmp_path)
        listener.shutdown(socket.SHUT_RDWR)
        serving.join()
    assert got["failed"] > 0
    assert got["first_failure"] == why


def answer_always(listener: socket.socket, reply: bytes) -> None:
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        with peer:
            peer.recv(65536)
            peer.sendall(reply)


def answer_late(listener: socket.socket, reply: bytes) -> None:
    peer, _ = listener.accept()
    with peer:
        peer.recv(65536)
        threading.Event().wait(0.3)
        peer.sendall(reply)
        peer.recv(1)  # until the other side has read it


def test_a_port_on_which_nobody_listens_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="connect"):
        run(Load("closed", 1, seconds=0.1), free_port(), chat_request(1_500), tmp_path)
