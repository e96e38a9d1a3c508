"""Where: which turnout is meant, and the token that opens it, each with where it was found.

The address is the one given, or the one that turnout keeps in its data directory while it runs, or
what the configuration file says (`admin.listen`), or the default. A turnout that was killed leaves
the second one behind, so where nobody answers there the next one is tried. The token is the one
given, or the one that turnout made and keeps beside its address. That one is shown to a turnout on
this host and to nobody else. The file may be wrong in any respect, and no YAML even: whoever has
just spoilt it must still be able to look and to roll back.
"""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from proxy.cli.faults import DATA_VARIABLE, DEFAULT_FILE, Fault
from proxy.config.settings import ADDRESS_FILE, DATA_DIR, TOKEN_FILE

if TYPE_CHECKING:
    from proxy.config.source import Document

DEFAULT_LISTEN = "127.0.0.1:8001"
DEFAULT_TRAFFIC = "127.0.0.1:8000"
USAGE = 2


class Found(Struct, frozen=True, kw_only=True):
    """A value, and where it was found, for people."""

    value: str
    source: str


class Where(Struct, frozen=True, kw_only=True):
    """A turnout's administration: its address, and a token; a token of "" is none."""

    url: Found
    token: Found
    kept: Path | None = None  # where the token was looked for: one that starts is yet to make it
    instead: "Where | None" = None  # to be tried where nobody answers


class Declared(Struct, frozen=True, kw_only=True):
    """What the configuration file says of administration."""

    listen: Found
    data: Path


def where(url: Found | None, token: Found | None, declared: Declared) -> Where:
    """Return which turnout is meant, by what was given and what is `declared`; Fault: none."""
    if url is not None:
        return _opened(checked(url), token, declared)
    running = serving(declared.data / ADDRESS_FILE)
    try:
        said = reached(declared.listen)
    except Fault:
        if running is None:
            raise
        said = running
    instead = _opened(said, token, declared)
    if running is None or running.value == said.value:
        return instead
    return msgspec.structs.replace(_opened(running, token, declared), instead=instead)


def _opened(address: Found, token: Found | None, declared: Declared) -> Where:
    path = declared.data / TOKEN_FILE if token is None and _here(address.value) else None
    if path is not None:
        token = kept(path)
    if token is None:
        token = Found(value="", source=f"a token of this host is not sent to {address.value}")
    if not token.value.isascii() or not token.value.isprintable() or " " in token.value:
        raise Fault(f"{token.source} holds no token: it is one word of plain letters", code=USAGE)
    return Where(url=address, token=token, kept=path)


def declared(config: str | None, environ: Mapping[str, str]) -> Declared:
    """Return what the file `config` says, or that of this folder; defaults where it says nothing.

    TURNOUT_DATA wins over the file's data directory. ConfigError: `config` can't be read.
    """
    document, unsaid = _document(config, environ)
    data = environ.get(DATA_VARIABLE)
    if document is not None and not data:
        from proxy.config import data_dir  # noqa: PLC0415  # only where there is a file

        data = data_dir.of(document, environ)
    admin = None if document is None else _member(document.value, "admin")
    return Declared(
        listen=_said(document, admin, "admin.listen")
        or Found(value=DEFAULT_LISTEN, source=unsaid),
        data=Path(data or DATA_DIR),
    )


def traffic(config: str | None, environ: Mapping[str, str]) -> Found:
    """Return the URL at which turnout takes traffic, as the file `config` or this folder's says.

    ConfigError: `config` can't be read.
    """
    document, unsaid = _document(config, environ)
    said = None if document is None else document.value
    listen = _said(document, said, "listen") or Found(value=DEFAULT_TRAFFIC, source=unsaid)
    url = reached(listen)
    if _member(said, "tls"):
        url = Found(value=url.value.replace("http:", "https:", 1), source=url.source)
    return url


def _document(config: str | None, environ: Mapping[str, str]) -> "tuple[Document | None, str]":
    """Return the file that is meant, if there is one, and how a default is accounted for."""
    file = config or DEFAULT_FILE
    if config is None and not Path(file).exists():
        return None, f"the default: there is no {file} in this folder"
    from proxy.config.source import load  # noqa: PLC0415  # only where there is a file

    return load(file, environ), f"the default, for {file} says nothing else"


def _said(document: "Document | None", part: object, name: str) -> Found | None:
    """Return what the last word of `name` is in a `part` of a file; None: it says nothing."""
    value = _member(part, name.rpartition(".")[2])
    if document is None or not isinstance(value, str) or not value:
        return None
    return Found(value=value, source=f"{name} in {document.file}")


def checked(url: Found) -> Found:
    """Return an address that was given, without a slash at its end; Fault: it is none."""
    try:
        parts = urlsplit(url.value)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise Fault(f"{url.source} is no address; write it like http://127.0.0.1:8001", code=USAGE)
    return Found(value=url.value.rstrip("/"), source=url.source)


def reached(listen: Found) -> Found:
    """Return the URL at which what listens on HOST:PORT can be reached from this host."""
    host, _, port = listen.value.rpartition(":")
    if host in ("", "0.0.0.0", "[::]"):  # noqa: S104  # nothing listens here
        host = "[::1]" if host == "[::]" else "127.0.0.1"
    return checked(Found(value=f"http://{host}:{port}", source=listen.source))


def serving(path: Path) -> Found | None:
    """Return the URL of the turnout that keeps its address at `path`; None: there is none."""
    try:
        listen, _, _ = path.read_text(encoding="utf-8").partition(" ")
        return reached(Found(value=listen, source=str(path))) if listen else None
    except (OSError, UnicodeDecodeError, Fault):
        return None


def kept(path: Path) -> Found:
    """Return the token that turnout keeps at `path`; "" where it can't be read."""
    try:
        return Found(value=path.read_text(encoding="utf-8").strip(), source=str(path))
    except FileNotFoundError:
        return Found(value="", source=f"{path} is not there")
    except (OSError, UnicodeDecodeError):
        return Found(value="", source=f"{path} can't be read by this user")


def _here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None
