"""The data directory: made, and held by one turnout at a time.

It knows that the directory must be there, be writable and have one holder; nothing of what is
kept in it.
"""

import fcntl
import io
import os
from pathlib import Path

from proxy.errors import StartError

REMEDY = "choose another directory with data_dir: in the configuration, or --data DIR"


def hold(path: str, inherited: int | None = None) -> io.FileIO:
    """Return the lock of data directory `path`, made where it is missing; closing it lets go.

    `inherited` is an open file that may be this very lock: then it is held on. StartError where
    the directory can't be written to, or another turnout holds it.
    """
    folder = Path(path)
    try:
        prepare(folder)
        return _locked(_opened(folder / "lock", inherited))
    except BlockingIOError as error:
        raise StartError(
            f"another turnout runs on the data directory {folder}: stop that one, or {REMEDY}."
        ) from error
    except OSError as error:
        raise StartError(
            f"can't use the data directory {folder}: {error.strerror or error}. "
            f"Make it writable for this user, or {REMEDY}."
        ) from error


def prepare(folder: Path) -> None:
    """Make the directory for this user only, and keep it out of version control."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(13, "Permission denied")


def _locked(lock: io.FileIO) -> io.FileIO:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise
    return lock


def _opened(path: Path, inherited: int | None) -> io.FileIO:
    """Return the lock's file; an inherited one that is another file's is closed."""
    if inherited is not None:
        kept = io.FileIO(inherited, "r+")
        if path.exists() and os.path.samestat(os.fstat(inherited), path.stat()):
            return kept
        kept.close()
    return io.FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")
