"""sd_listen_fds(3) and sd_notify(3), as a service manager plays them."""

import os
import socket
from pathlib import Path

import pytest

from proxy.controlplane.supervision.holdings.systemd import ServiceManager, activated
from proxy.errors import StartError


def passed(count: str, names: str | None = None, pid: int | None = None) -> dict[str, str]:
    variables = {"LISTEN_PID": str(os.getpid() if pid is None else pid), "LISTEN_FDS": count}
    return variables if names is None else {**variables, "LISTEN_FDNAMES": names}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, {}),
        (passed("2", "traffic:admin"), {"traffic": [3], "admin": [4]}),
        (passed("3", "admin:traffic:traffic"), {"admin": [3], "traffic": [4, 5]}),
        (passed("1", "unknown"), {"traffic": [3]}),
        (passed("1"), {"traffic": [3]}),
        (passed("2", "traffic:admin", pid=1), {}),  # somebody else's
        (passed("0", ""), {}),
        (passed("junk"), {}),
    ],
)
def test_sockets_are_taken_by_their_names(
    environ: dict[str, str], expected: dict[str, list[int]]
) -> None:
    assert activated(environ) == expected
    assert environ == {}, "they are nobody else's"


@pytest.mark.parametrize("environ", [passed("2", "traffic:web"), passed("2")])
def test_a_name_that_means_nothing_is_an_error_with_a_remedy(environ: dict[str, str]) -> None:
    with pytest.raises(StartError, match="FileDescriptorName=traffic, or admin"):
        activated(environ)


@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_hears_what_happens(tmp_path: Path, abstract: bool) -> None:  # noqa: FBT001  # a parameter
    address = f"@turnout-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as theirs:
        theirs.bind(address.replace("@", "\0", 1) if abstract else address)
        theirs.settimeout(5)
        manager = ServiceManager(address)
        manager.ready()
        assert theirs.recv(1000) == b"READY=1"
        manager.reloading()
        assert theirs.recv(1000).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        manager.succeeded(42)
        assert theirs.recv(1000) == b"MAINPID=42\nREADY=1"
        manager.stopping()
        assert theirs.recv(1000) == b"STOPPING=1"


@pytest.mark.parametrize("address", [None, "", "/nowhere/at/all"])
def test_where_nobody_listens_nothing_happens(address: str | None) -> None:
    ServiceManager(address).ready()
