"""Fit: how the values of a file must fit together, names above all.

It reads the plain values, which may still be of any wrong kind (that is told elsewhere), so
everything here looks before it takes. No value that came from a reference is repeated.
"""

import ssl
from collections.abc import Iterable
from pathlib import Path

from pydantic_core import PydanticCustomError

from proxy.config.fields import DEFAULT_PORTS, address, split_url
from proxy.config.schema import Admin, File
from proxy.config.source import Document, KeyPath, shown
from proxy.config.wording import suggest

TRAFFIC = File.model_fields["listen"].default
ADMIN = Admin.model_fields["listen"].default
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
NO_CERTIFICATE = (
    "names a file without a certificate that can be loaded",
    "name a PEM file: its certificates begin with -----BEGIN CERTIFICATE-----",
)
EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104  # compared with, not listened on


def fit_together(document: Document) -> None:
    """Report what does not fit together."""
    fit = _Fit(document)
    fit.listeners()
    fit.tls()
    for name in fit.names("upstreams"):
        fit.upstream(name)
    fit_routing(document)
    fit.keys()


def fit_routing(document: Document) -> None:
    """Report what of the routing does not fit together, or not to upstreams and keys."""
    fit = _Fit(document)
    fit.serves_something()
    for name in fit.names("routes"):
        fit.route(name)
    for name in fit.names("keys"):
        fit.all_known(("keys", name, "routes"), fit.names("routes"), "route")


class _Fit:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._report = document.report

    def at(self, *path: str | int) -> object:
        """Return the value at `path`; None: there is none."""
        value: object = self._document.value
        for part in path:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int):
                value = value[part]
            else:
                return None
        return value

    def names(self, *path: str) -> list[str]:
        """Return the keys of the mapping at `path`."""
        value = self.at(*path)
        return list(value) if isinstance(value, dict) else []

    def number(self, *path: str, default: float) -> float | None:
        """Return the number at `path`; None: what stands there is none."""
        value = self.at(*path)
        if value is None:
            return default
        try:
            return float(value) if isinstance(value, int | float | str) else None
        except (ValueError, OverflowError):
            return None

    def serves_something(self) -> None:
        default = self.at("default_upstream")
        if default is not None and self.names("upstreams"):
            self.known(("default_upstream",), self.names("upstreams"), "upstream")
        if default is None and self.at("pass_unknown_models") is True:
            self._report(
                ("pass_unknown_models",),
                "needs a 'default_upstream' to pass them to",
                "add 'default_upstream: NAME', or remove this line",
            )
        if default is None and not self.at("routes"):
            self._report((), "serves nothing", "add 'routes', or a 'default_upstream'")

    def listeners(self) -> None:
        traffic, admin = self.at("listen"), self.at("admin", "listen")
        host, port = _address(traffic, TRAFFIC)
        admin_host, admin_port = _address(admin, ADMIN)
        if 0 < port == admin_port and (host == admin_host or EVERYWHERE & {host, admin_host}):
            self._report(
                ("admin", "listen") if admin else ("listen",),
                "is the address of the other listener too",
                "give traffic and administration a port each",
            )

    def tls(self) -> None:
        certificate = self.readable("tls", "certificate")
        key = self.readable("tls", "key")
        fault = _pair_fault(certificate, key) if certificate and key else None
        if fault is not None:
            which, reason, remedy = fault
            self._report(("tls", which), reason, remedy)

    def upstream(self, name: str) -> None:
        here = ("upstreams", name)
        headers = self.names(*here, "headers")
        twice = next((each for each in headers if each.lower() == "authorization"), None)
        if twice is not None and self.at(*here, "api_key") is not None:
            self._report(
                (*here, "headers", twice),
                "is set by 'api_key' already",
                "keep one of the two",
            )
        lower = [each.lower() for each in headers]
        for index, each in enumerate(headers):
            if lower[index] in lower[:index]:
                self._report((*here, "headers", each), "is there twice", "keep one of the two")
        first = self.number(*here, "eject_seconds", default=10.0)
        most = self.number(*here, "eject_seconds_max", default=300.0)
        if first is not None and most is not None and first > most:
            self._report(
                (*here, "eject_seconds"),
                "is more than 'eject_seconds_max'",
                f"choose at most {most:g}, or raise 'eject_seconds_max'",
            )
        authorities = self.readable(*here, "ca_file")
        if authorities is not None and not _holds_certificate(authorities):
            self._report((*here, "ca_file"), *NO_CERTIFICATE)
        self.own_address((*here, "base_url"))

    def own_address(self, path: KeyPath) -> None:
        """Report an upstream that is turnout itself: requests would go round in a circle."""
        url = self.at(*path)
        host, port = _url_address(url)
        for listen, default in ((self.at("listen"), TRAFFIC), (self.at("admin", "listen"), ADMIN)):
            own_host, own_port = _address(listen, default)
            here = own_host in EVERYWHERE | LOOPBACK and host in EVERYWHERE | LOOPBACK
            if 0 < port == own_port and (here or host == own_host):
                self._report(
                    path,
                    "is turnout's own address",
                    "name the model server's, or listen elsewhere",
                )

    def route(self, name: str) -> None:
        here = ("routes", name)
        variants = self.names(*here, "variants")
        for variant in variants:
            self.variant((*here, "variants", variant))
        if variants:  # without any, that is the problem
            self.split((*here, "split"), variants)
            self.all_known((*here, "fallback"), variants, "variant of this route")
        sticky = self.at(*here, "sticky")
        if self.at(*here, "sticky_header") is not None and sticky in ("key", "request"):
            self._report(
                (*here, "sticky_header"),
                f"has no meaning with 'sticky: {sticky}'",
                "remove it, or use 'sticky: user' or 'sticky: conversation'",
            )

    def variant(self, here: tuple[str, ...]) -> None:
        upstreams = self.names("upstreams")
        if upstreams:
            self.known((*here, "upstream"), upstreams, "upstream")
        overrides = self.names(*here, "overrides")
        for member in self.names(*here, "defaults"):
            if member in overrides:
                self._report(
                    (*here, "defaults", member),
                    "is never used, since 'overrides' sets it too",
                    "keep one of the two",
                )

    def split(self, here: tuple[str, ...], variants: list[str]) -> None:
        names = self.names(*here)
        for name in names:
            if name not in variants:
                self._report(
                    (*here, name),
                    "is no variant of this route",
                    suggest(name, variants),
                )
        if names and all(self.number(*here, name, default=0.0) == 0 for name in names):
            self._report(here, "gives nobody a share", "give one variant a weight above 0")

    def keys(self) -> None:
        first: dict[str, str] = {}
        for name in self.names("keys"):
            here = ("keys", name)
            digest = self.at(*here, "sha256")
            if not isinstance(digest, str) or (*here, "sha256") in self._document.broken:
                continue
            other = first.setdefault(digest.lower(), name)
            if other != name:
                self._report(
                    (*here, "sha256"),
                    f"is the key of '{shown(other)}' too",
                    "give each its own key",
                )

    def known(self, path: KeyPath, known: Iterable[str], what: str) -> None:
        """Report the name at `path` where it is none of `known`."""
        name = self.at(*path)
        if not isinstance(name, str) or name in known or path in self._document.broken:
            return
        told = (
            "what the reference gives" if path in self._document.referred else f"'{shown(name)}'"
        )
        self._report(path, f"names {told}, which is no {what}", suggest(name, known))

    def all_known(self, path: tuple[str, ...], known: Iterable[str], what: str) -> None:
        """Report each name in the list at `path` that is none of `known`, or there twice."""
        names = self.at(*path)
        if not isinstance(names, list):
            return
        for index, name in enumerate(names):
            self.known((*path, index), known, what)
            if name in names[:index]:
                self._report((*path, index), "is there twice", "keep one of the two")

    def readable(self, *path: str) -> Path | None:
        """Return the file that `path` names, where it names one; report one that can't be read."""
        name = self.at(*path)
        if not isinstance(name, str) or path in self._document.broken or not name.strip():
            return None
        file = self._document.folder / name
        reason = _unreadable(file)
        if reason is None:
            return file
        self._report(
            path,
            f"names a file that can't be read: {reason}",
            "correct the path, or let the user that turnout runs as read the file",
        )
        return None


def _address(written: object, default: str) -> tuple[str, int]:
    try:
        return address(written if isinstance(written, str) else default)
    except PydanticCustomError:
        return "", 0


def _url_address(url: object) -> tuple[str, int]:
    try:
        parts = split_url(url if isinstance(url, str) else "")
    except PydanticCustomError:
        return "", 0
    return parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]


def _unreadable(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            file.read(1)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or "no such name is possible"
    return None


class _Protected(Exception):
    """The key asks for a passphrase."""


def _no_passphrase() -> str:
    raise _Protected  # without this, OpenSSL would ask for it on the terminal


def _pair_fault(certificate: Path, key: Path) -> tuple[str, str, str] | None:
    """Return which of the two can't be served with, the reason and the remedy; None: both can."""
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except _Protected:
        return (
            "key",
            "names a key that is locked by a passphrase",
            "unlock it into a file of its own: openssl pkey -in LOCKED -out KEY",
        )
    except OSError as error:  # SSLError is one
        return _explained(getattr(error, "reason", None), certificate)
    return None


def _explained(reason: str | None, certificate: Path) -> tuple[str, str, str]:
    if not _holds_certificate(certificate):
        return "certificate", *NO_CERTIFICATE
    if reason == "KEY_VALUES_MISMATCH":
        return (
            "key",
            "does not belong to the certificate",
            "name the key that the certificate was made for; in PEM, that one comes first",
        )
    if reason is not None and "TOO" in reason:  # EE_KEY_TOO_SMALL, CA_MD_TOO_WEAK
        weak = reason.replace("_", " ").lower()
        return "certificate", f"is refused by OpenSSL: {weak}", "have a stronger one made"
    return (
        "key",
        "names a file without a private key that can be loaded",
        "name a PEM file: a key begins with -----BEGIN PRIVATE KEY----- or the like",
    )


def _holds_certificate(path: Path) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError:
        return False
    return True
