"""Where administration is, kept for the command line of this host."""

import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.config.settings import ADDRESS_FILE
from proxy.controlplane.admin.entrance.address import announced


@pytest.fixture(params=["127.0.0.1", "::1"])
def sock(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.create_server((request.param, 0), family=family) as made:
        yield made


def test_the_address_stands_there_for_its_owner_while_somebody_serves(
    tmp_path: Path, sock: socket.socket
) -> None:
    path = tmp_path / ADDRESS_FILE
    path.write_text("127.0.0.1:1 1\n")  # of one that was killed
    with announced(tmp_path, sock, lambda: False):
        host, _, port = path.read_text().split()[0].rpartition(":")
        assert (host.strip("[]"), int(port)) == sock.getsockname()[:2]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


def test_it_is_left_to_whoever_serves_on(tmp_path: Path, sock: socket.socket) -> None:
    path = tmp_path / ADDRESS_FILE
    with announced(tmp_path, sock, lambda: True):
        pass
    assert path.exists()
    with announced(tmp_path, sock, lambda: False):
        path.write_text("127.0.0.1:1 1\n")  # the next one's
    assert path.read_text() == "127.0.0.1:1 1\n"


def test_where_it_can_not_be_kept_administration_serves_all_the_same(
    tmp_path: Path, sock: socket.socket
) -> None:
    with announced(tmp_path / "gone", sock, lambda: False):
        pass
