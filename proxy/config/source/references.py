"""References in the file: `${NAME}`, `${NAME:-default}`, `$$`, and `file:/path` for secrets.

A brace means something to YAML, so `{api_key: ${KEY}}` would not parse. References are therefore
masked before YAML sees the text, by private-use characters of the same length (positions stay
true), and put back in each value. It knows nothing of YAML or of which settings are secret.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from proxy.config.source.files import read_file

PAD = 0xE000  # the private-use area of the Unicode plane 0
PRIVATE_USE = re.compile("[\ue000-\uf8ff]")
_BASE = 0xF8FF - PAD  # digits PAD + 1 ... 0xF8FF
_WRITTEN = re.compile(r"\$\$(?:\{[^{}\n]*\})?|\$\{[^{}\n]*\}")
_MASKED = re.compile("[\ue001-\uf8ff]{2}\ue000*")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.ASCII)
LARGEST_SECRET = 64 * 1024  # bytes


class Unresolved(Exception):  # it is a finding about the file, not a failure
    """A reference leads nowhere: the reason, and what to do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class References(Struct, frozen=True, kw_only=True):
    """A text with its references masked, and what stood in their places."""

    text: str
    written: tuple[str, ...]

    def restore(self, value: str) -> str:
        """Return `value` as the file has it."""
        return _MASKED.sub(self._at, value)

    def resolve(self, value: str, environ: Mapping[str, str]) -> str:
        """Return `value` with its references followed, or raise Unresolved."""
        if "${" in value:
            raise Unresolved(
                "has a '${' that is not closed on its line",
                "close the reference with '}', or write '$$' for a plain dollar sign",
            )
        return _MASKED.sub(lambda found: follow(self._at(found), environ), value)

    def _at(self, found: re.Match[str]) -> str:
        high, low = (ord(digit) - PAD - 1 for digit in tuple(found[0])[:2])
        return self.written[high * _BASE + low]


def mask(text: str) -> References:
    """Return `text`, which has no private-use characters, with its references masked."""
    written: list[str] = []

    def token(found: re.Match[str]) -> str:
        high, low = divmod(len(written), _BASE)
        written.append(found[0])
        return (chr(PAD + 1 + high) + chr(PAD + 1 + low)).ljust(len(found[0]), chr(PAD))

    masked = _WRITTEN.sub(token, text)
    return References(text=masked, written=tuple(written))


def follow(reference: str, environ: Mapping[str, str]) -> str:
    """Return what `reference` stands for, or raise Unresolved."""
    if reference.startswith("$$"):
        return reference[1:]
    named = _NAME.fullmatch(reference[2:-1])
    if named is None:
        raise Unresolved(
            "has a reference that names no environment variable",
            "write ${NAME} or ${NAME:-default}, or '$$' for a plain dollar sign",
        )
    name, default = named.groups()
    value = environ.get(name)
    if value is not None and not value.isascii() and re.search("[\ud800-\udfff]", value):
        raise Unresolved(
            f"refers to the environment variable {name}, which is not UTF-8 text",
            f"set {name} to UTF-8 text",
        )
    if default is not None:
        return value or default
    if value is None:
        raise Unresolved(
            f"refers to the environment variable {name}, which is not set",
            f"set {name} in turnout's environment; "
            f"what is no secret may have a default: ${{{name}:-default}}",
        )
    return value


def read_secret(value: str, folder: Path) -> str:
    """Return a secret as it is, or for `file:PATH` the file's text; raises Unresolved.

    A relative path starts at `folder`; white space around the text is dropped.
    """
    if not value.startswith("file:"):
        return value
    path = folder / value.removeprefix("file:")
    content = b""
    try:
        content = read_file(path, LARGEST_SECRET + 1)
        text = content.decode().strip()
    except OSError as error:
        raise Unresolved(
            f"refers to the file {path}, which can't be read: {error.strerror}",
            "create the file, or let the user that turnout runs as read it",
        ) from None
    except ValueError:
        text = ""
    if not text or len(content) > LARGEST_SECRET:
        raise Unresolved(
            f"refers to the file {path}, which holds no secret: it is empty, too large or no text",
            "put the secret alone into the file, as UTF-8",
        )
    return text
