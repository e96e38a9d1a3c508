"""Tokens: who a caller is, by the digest of what they show, and the token that is made here.

A token's value is known to its caller, and, where it was made here, to one file that only this
user can read. It is in no log, no answer and no list.
"""

from collections.abc import Callable, Iterable
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

import structlog

from proxy.config.settings import TOKEN_FILE, AdminToken
from proxy.config.source.files import keep_file

LOCAL = "local"  # the name of the one that is made here
SHORTEST = 32  # characters: less was not made here, or not written whole


class Tokens:
    """The tokens that are known; none, until the first are adopted.

    `folder` is where the local one is kept, `make` makes its value.
    """

    def __init__(self, folder: Path, make: Callable[[], str]) -> None:
        self._folder = folder
        self._make = make
        self._tokens: tuple[AdminToken, ...] = ()

    def adopt(self, configured: Iterable[AdminToken]) -> None:
        """Know these tokens from now on and no others; where there are none, the local one.

        Where that one can't be kept, nobody is known, and the log says why.
        """
        self._tokens = tuple(configured)
        if not self._tokens:
            try:
                self._tokens = (local_token(self._folder, self._make),)
            except OSError as error:
                structlog.get_logger().error(
                    "admin token could not be kept", reason=error.strerror
                )

    def owner(self, shown: bytes) -> AdminToken | None:
        """Return whose token was shown; None: nobody's. It takes as long either way."""
        digest = digest_of(shown)
        owners = [each for each in self._tokens if compare_digest(each.sha256, digest)]
        return owners[0] if owners else None


def digest_of(token: bytes) -> str:
    """Return a token's SHA-256 digest in hexadecimal."""
    return sha256(token).hexdigest()


def local_token(folder: Path, make: Callable[[], str]) -> AdminToken:
    """Return the token of `folder`, which `make` makes where none is there that can be trusted.

    It is not trusted if others can read it. OSError: it can't be kept.
    """
    path = folder / TOKEN_FILE
    token = _kept(path)
    if token is None:
        token = make()
        keep_file(path, f"{token}\n".encode())
        structlog.get_logger().info("admin token made", path=str(path))
    return AdminToken(name=LOCAL, sha256=digest_of(token.encode()), role="admin")


def _kept(path: Path) -> str | None:
    try:
        token = path.read_text(encoding="utf-8").strip()
        mode = path.stat().st_mode
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    if mode & 0o077:
        log = structlog.get_logger()
        log.warning("admin token could be read by others, so it is replaced", path=str(path))
        return None
    return token if len(token) >= SHORTEST else None
