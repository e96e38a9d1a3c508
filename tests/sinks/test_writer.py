import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from proxy.sinks.log import LineWriter


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        yield reading, stream
    try:
        os.close(reading)
    except OSError:
        assert True  # a test closed it: that was its point


def lines(count: int, size: int = 100) -> list[bytes]:
    return [b"%0*d" % (size - 1, n) for n in range(count)]


def text(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def test_lines_arrive_whole_and_in_order(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        writer = LineWriter(stream)
        for line in lines(5000):
            writer.write(line)
        assert writer.close(10.0)
    assert (tmp_path / "log").read_bytes() == text(lines(5000))
    assert writer.dropped == 0


def test_flush_returns_when_everything_taken_so_far_is_written(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        writer = LineWriter(stream)
        assert writer.flush(0.0)  # nothing was ever written: nothing to wait for
        writer.write(b"one")
        assert writer.flush(10.0)
        assert (tmp_path / "log").read_bytes() == b"one\n"
        assert writer.close()
        assert writer.close()  # closing twice is no trouble


def test_a_hung_reader_makes_lines_drop_and_nobody_wait(pipe: tuple[int, TextIO]) -> None:
    reading, stream = pipe
    writer = LineWriter(stream, lines=1000)
    for line in lines(5000):  # 500 KB into a pipe that holds 64
        writer.write(line)
    assert writer.dropped >= 3000
    assert not writer.close(0.05)  # bounded
    taken = 5000 - writer.dropped
    assert 0 < taken < 2000
    reader = Drain(reading)  # the thread ends, before its descriptor is another test's
    assert writer.close(10.0)
    stream.close()
    assert reader.text()


def test_a_reader_that_comes_back_gets_what_was_kept(pipe: tuple[int, TextIO]) -> None:
    reading, stream = pipe
    writer = LineWriter(stream, lines=2000)
    for line in lines(2000):
        writer.write(line)
    reader = Drain(reading)
    assert writer.close(10.0)
    stream.close()
    assert reader.text() == text(lines(2000))
    assert writer.dropped == 0


def test_a_full_pipe_that_does_not_block_is_waited_for(pipe: tuple[int, TextIO]) -> None:
    reading, stream = pipe
    os.set_blocking(stream.fileno(), False)
    writer = LineWriter(stream, lines=3000)
    for line in lines(3000):
        writer.write(line)
    reader = Drain(reading)
    assert writer.close(10.0)
    stream.close()
    assert reader.text() == text(lines(3000))


def test_a_reader_that_is_gone_costs_lines_and_nothing_else(pipe: tuple[int, TextIO]) -> None:
    reading, stream = pipe
    writer = LineWriter(stream)
    os.close(reading)
    for line in lines(10):
        writer.write(line)
    assert writer.close(10.0)
    assert writer.dropped == 10


def test_a_disk_that_was_full_for_a_while_leaves_no_line_glued_to_another() -> None:
    with tempfile.TemporaryFile("w") as stream:
        writer = LineWriter(stream)
        writer._torn = True  # the state after half a line was written
        writer.write(b"whole")
        assert writer.close(10.0)
        assert os.pread(stream.fileno(), 100, 0) == b"\nwhole\n"


def test_writes_to_a_pipe_carry_whole_lines_no_longer_than_what_is_atomic(
    pipe: tuple[int, TextIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, stream = pipe
    sizes: list[bytes] = []
    write = os.write

    def noted(fd: int, data: bytes) -> int:
        sizes.append(bytes(data))
        return write(fd, data)

    monkeypatch.setattr(os, "write", noted)
    writer = LineWriter(stream)
    for line in lines(300):
        writer.write(line)
    reader = Drain(reading)
    assert writer.close(10.0)
    stream.close()
    reader.text()
    assert all(len(data) <= 4096 and data.endswith(b"\n") for data in sizes)


class Drain:
    """Reads a pipe to its end on a thread."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._data = b""
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while piece := os.read(self._fd, 1 << 16):
            self._data += piece

    def text(self) -> bytes:
        self._thread.join(10.0)
        assert not self._thread.is_alive()
        return self._data
