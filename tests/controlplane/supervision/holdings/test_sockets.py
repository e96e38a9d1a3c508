"""Where sockets come from, and how they are shown; whole turnouts are in tests/processes."""

import os
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from proxy.config.settings import AdminToken, ClientKey, UpstreamSettings
from proxy.controlplane.supervision.holdings.sockets import (
    adopted,
    slots,
    unheeded,
    url,
    whereabouts,
)
from proxy.errors import StartError
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


LENT = UpstreamSettings(name="openai", scheme="http", host="h", port=1, api_key="sk-1")
OWN = UpstreamSettings(name="own", scheme="http", host="h", port=1)
KEY = ClientKey(name="k", sha256="", slot=0)


def said(bound: str, **plane: Any) -> list[str]:
    given = settings(settings_of(**plane))
    with socket.socket() as traffic, socket.socket() as admin:
        traffic.bind((bound, 0))
        admin.bind(("127.0.0.1", 0))
        return whereabouts(given, [traffic], admin)


def test_a_port_that_every_network_reaches_is_said_to_be_one() -> None:
    traffic, administration, _ = said("0.0.0.0", upstreams=[OWN])
    assert re.fullmatch(r"traffic on http://127\.0\.0\.1:\d+/v1 \(on all interfaces\)", traffic)
    assert administration.startswith("administration on http://127.0.0.1:")
    assert "interfaces" not in said("127.0.0.1", upstreams=[OWN])[0]


def test_an_address_that_a_predecessors_sockets_do_not_have_is_warned_of() -> None:
    with socket.socket() as traffic, socket.socket() as admin:
        traffic.bind(("127.0.0.1", 0))
        admin.bind(("127.0.0.1", 0))
        port, admin_port = traffic.getsockname()[1], admin.getsockname()[1]

        def warned(host: str, traffic_port: int) -> list[str]:
            given = settings(
                settings_of(upstreams=[OWN]),
                listen_host=host,
                listen_port=traffic_port,
                admin_host="localhost",
                admin_port=admin_port,
            )
            return unheeded(given, [traffic, traffic], admin)

        assert warned("127.0.0.1", port) == []
        assert warned("127.0.0.1", 0) == [], "any port was right"
        for host, other in (("127.0.0.1", 9), ("127.0.0.2", port)):
            (warning,) = warned(host, other)
            assert warning.startswith(
                f"warning: listen says {host}:{other}, and it stays at 127.0.0.1:{port}"
            )


def test_a_key_that_anybody_could_spend_is_warned_of_with_a_remedy() -> None:
    *_, warning = said("0.0.0.0", upstreams=[OWN, LENT])
    assert warning.startswith("warning: ")
    assert "api_key of openai." in warning
    assert "127.0.0.1" in warning
    assert "sk-1" not in warning


@pytest.mark.parametrize(
    ("bound", "plane"),
    [
        ("127.0.0.1", {"upstreams": [LENT]}),
        ("0.0.0.0", {"upstreams": [OWN]}),
        ("0.0.0.0", {"upstreams": [LENT], "keys": (KEY,)}),
    ],
)
def test_nobody_is_warned_without_need(bound: str, plane: dict[str, Any]) -> None:
    assert len(said(bound, **plane)) == 3


def test_the_tally_has_room_for_every_client_key_and_for_more_to_come() -> None:
    none = settings(settings_of(upstreams=[]))
    key = ClientKey(name="k", sha256="", slot=5000)
    many = settings(settings_of(upstreams=[], keys=(key,)))
    assert slots(none) == 1024
    assert slots(many) > 5000


def test_each_address_is_said_once() -> None:
    given = settings(settings_of(upstreams=[]))
    anywhere = ("127.0.0.1", 0)
    with socket.create_server(anywhere) as one, socket.create_server(anywhere) as two:
        lines = whereabouts(given, [one, two, one], one)
    assert len(lines) == 4
    assert len(set(lines)) == 4


def test_where_no_tokens_are_configured_it_is_said_where_there_is_one() -> None:
    given = settings(settings_of(upstreams=[]), data_dir="/var/lib/turnout")
    ann = AdminToken(name="ann", sha256="", role="admin")
    with socket.create_server(("127.0.0.1", 0)) as sock:
        assert whereabouts(given, [], sock)[-1] == "its token is in /var/lib/turnout/admin.token"
        lines = whereabouts(settings(settings_of(upstreams=[]), admin_tokens=(ann,)), [], sock)
    assert len(lines) == 1


def test_an_open_file_becomes_the_socket_that_it_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as given:
        given.set_inheritable(True)
        (sock,) = adopted([given.fileno()])
        assert sock.getsockname() == given.getsockname()
        assert not sock.get_inheritable()
        sock.detach()


def test_what_does_not_listen_is_no_inheritance() -> None:
    with pytest.raises(StartError, match="no TCP socket that listens"):
        adopted([socket.socket().detach()])
    with (
        Path(os.devnull).open() as file,
        pytest.raises(StartError, match="was passed to be listened on"),
    ):
        adopted([file.fileno()])
