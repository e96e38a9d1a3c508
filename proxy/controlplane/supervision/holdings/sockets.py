"""The sockets: what outlives every child, wherever it came from, and where it is to be found.

The listening sockets come from a predecessor, from the service manager, or are made here; the
channel's and the tally always are. It knows nothing of who uses them.
"""

import contextlib
import ipaddress
import os
import shutil
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from proxy.channel import create_memory
from proxy.channel.tally import SLOTS
from proxy.config.settings import TOKEN_FILE, Settings
from proxy.controlplane.supervision.holdings.succession import Estate
from proxy.controlplane.supervision.host import listen, private_socket
from proxy.errors import StartError

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # read, not bound: what to type


class Sockets:
    """The listening sockets, the channel's, and the tally.

    `estate` is what a predecessor left, `activated` what the service manager passed: traffic's
    and administration's open files. `lent`: somebody else holds the listening ones, and stays.
    """

    def __init__(
        self, settings: Settings, estate: Estate | None, activated: dict[str, list[int]]
    ) -> None:
        if estate is not None:
            activated = {"traffic": list(estate.traffic), "admin": [estate.admin]}
        traffic, admin = (adopted(activated.get(name, ())) for name in ("traffic", "admin"))
        self.lent = bool(traffic) if estate is None else estate.lent
        with contextlib.ExitStack() as undo:
            self.traffic = traffic or listen(
                settings.listen_host, settings.listen_port, settings.workers
            )
            for sock in self.traffic:
                undo.callback(sock.close)
            self.admin, *others = admin or listen(settings.admin_host, settings.admin_port)
            for sock in (self.admin, *others):
                undo.callback(sock.close)
            folder, self.channel = private_socket(settings.workers + 8)
            undo.callback(shutil.rmtree, folder, ignore_errors=True)
            undo.callback(self.channel.close)
            self.tally = create_memory(settings.workers, slots(settings))
            undo.callback(os.close, self.tally)
            self._undo = undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def close_traffic(self) -> None:
        """Take no connection any more, as far as it depends on this process."""
        for sock in self.traffic:
            sock.close()


def adopted(files: Iterable[int]) -> list[socket.socket]:
    """Return open files as the TCP sockets that listen which they are to be; StartError."""
    return [_adopted(file) for file in files]


def _adopted(file: int) -> socket.socket:
    try:
        sock = socket.socket(fileno=file)
        listens = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise StartError(f"open file {file} was passed to be listened on: {error}.") from error
    if not listens or sock.family not in (socket.AF_INET, socket.AF_INET6):
        sock.close()
        raise StartError(
            f"open file {file} was passed to be listened on, and is no TCP socket that listens: "
            "in a socket unit, use ListenStream= with a port."
        )
    sock.set_inheritable(False)
    sock.setblocking(False)  # noqa: FBT003  # so the library has it
    return sock


def slots(settings: Settings) -> int:
    """Return how many client keys the tally needs room for."""
    return max(SLOTS, *(2 * (key.slot + 1) for key in settings.data_plane.keys), 0)


def whereabouts(
    settings: Settings, traffic: Iterable[socket.socket], admin: socket.socket
) -> list[str]:
    """Return the lines that say where turnout listens, and who may reach that."""
    scheme = "http" if settings.tls is None else "https"
    plane = settings.data_plane
    bound = {sock.getsockname(): sock for sock in traffic}  # each address once
    lines, everywhere = [], False
    for address, sock in bound.items():
        wide = address[0] in WILDCARDS
        everywhere = everywhere or wide
        lines.append(f"traffic on {url(scheme, sock)}/v1" + (" (on all interfaces)" * wide))
    lines.append(f"administration on {url('http', admin)}")
    if not settings.admin_tokens:
        lines.append(f"its token is in {Path(settings.data_dir) / TOKEN_FILE}")
    lent = [each.name for each in plane.upstreams.values() if each.api_key is not None]
    if everywhere and lent and not plane.keys:
        lines.append(
            f"warning: whoever reaches this port can spend the api_key of {', '.join(lent)}. "
            "Listen on 127.0.0.1 (--listen 127.0.0.1:8000), or configure client keys (keys:)."
        )
    return lines


def unheeded(
    settings: Settings, traffic: Iterable[socket.socket], admin: socket.socket
) -> list[str]:
    """Return a warning for each address of the settings that inherited sockets do not have."""
    given = (
        ("listen", settings.listen_host, settings.listen_port, list(traffic)),
        ("admin.listen", settings.admin_host, settings.admin_port, [admin]),
    )
    return [
        f"warning: {name} says {host}:{port}, and it stays at "
        f"{url('', sock).removeprefix('://')}, which was taken over; only a stop and a new start "
        "change that"
        for name, host, port, socks in given
        for sock in socks[:1]
        if not _is_at(sock, host, port)
    ]


def _is_at(sock: socket.socket, host: str, port: int) -> bool:
    """Return whether a socket has this address, as far as no name must be looked up for it."""
    bound = sock.getsockname()
    try:
        same = ipaddress.ip_address(host) == ipaddress.ip_address(bound[0])
    except ValueError:  # a name
        same = True
    return same and port in (0, bound[1])


def url(scheme: str, sock: socket.socket) -> str:
    """Return the address that `sock` listens on, as a person would type it."""
    host, port = sock.getsockname()[:2]
    host = WILDCARDS.get(host, f"[{host}]" if ":" in host else host)
    return f"{scheme}://{host}:{port}"
