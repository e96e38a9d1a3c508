"""What the supervisor works out; what it does is shown in tests/processes."""

import socket

import pytest

from proxy.config.settings import ClientKey
from proxy.controlplane.supervisor import counted, slots, url
from tests.support.data_plane import settings_of
from tests.support.whole import settings


@pytest.mark.parametrize(
    ("bound", "shown"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]"), ("::", "[::1]")],
)
def test_an_address_is_shown_as_one_would_type_it(bound: str, shown: str) -> None:
    family = socket.AF_INET6 if ":" in bound else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.bind((bound, 0))
        assert url("https", sock) == f"https://{shown}:{sock.getsockname()[1]}"


def test_the_tally_has_room_for_every_client_key_and_for_more_to_come() -> None:
    none = settings(settings_of(upstreams=[]))
    key = ClientKey(name="k", sha256="", slot=5000)
    many = settings(settings_of(upstreams=[], keys=(key,)))
    assert slots(none) == 1024
    assert slots(many) > 5000


def test_no_workers_stand_for_one_for_each_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.controlplane.supervisor.available_cpus", lambda: 7)
    plane = settings_of(upstreams=[], workers=3)
    auto = counted(settings(plane, workers=0))
    assert auto.workers == auto.data_plane.workers == 7
    assert counted(settings(plane)).workers == 3
