"""Files: what stands in one that the configuration is, or refers to; and one kept for us alone.

A pipe or a device in a file's place would keep its reader waiting for ever, and a link in the
place of one that is to be written would lead us elsewhere. It knows nothing of what bytes mean.
"""

import errno
import os
import stat
from pathlib import Path


def read_file(path: str | Path, most: int) -> bytes:
    """Return the bytes of a regular file, `most` at the most; OSError where there is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(descriptor)


def keep_file(path: Path, content: bytes) -> None:
    """Put a file in its place whole or not at all, for this user only; OSError: not at all."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123  # of an open file
        file.write(content)
        file.flush()
        os.fsync(descriptor)  # or the name could outlive a power cut, and the bytes not
    fresh.replace(path)
