"""Running out of open files, on purpose."""

import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def out_of_files() -> Iterator[None]:
    """Let this process open no further file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    probe = socket.socket()
    resource.setrlimit(resource.RLIMIT_NOFILE, (probe.fileno(), hard))
    probe.close()
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
