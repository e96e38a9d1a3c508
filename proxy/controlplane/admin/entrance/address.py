"""The address of administration, where the command line on this host finds it.

It stands in the data directory while somebody serves there. A process that was killed leaves it
behind; the next one writes its own in its place.
"""

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog

from proxy.config.settings import ADDRESS_FILE
from proxy.config.source.files import keep_file


@contextlib.contextmanager
def announced(folder: Path, sock: socket.socket, stays: Callable[[], bool]) -> Iterator[None]:
    """Have the address of `sock` stand in `folder` for the length of the block.

    It is left there if somebody else has written their own meanwhile, or if it `stays`: another
    turnout serves on the same socket. Where it can't be written, the log says why.
    """
    path = folder / ADDRESS_FILE
    host, port = sock.getsockname()[:2]
    said = f"{f'[{host}]' if ':' in host else host}:{port} {os.getpid()}"
    try:
        keep_file(path, f"{said}\n".encode())
    except OSError as error:
        log = structlog.get_logger()
        log.warning("admin address could not be kept", reason=error.strerror)
    yield
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if not stays() and path.read_text(encoding="utf-8").strip() == said:
            path.unlink()
