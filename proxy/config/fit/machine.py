"""Machine: listeners, certificates and other files, and the addresses of upstreams.

What is asked here can only be answered where turnout is to run.
"""

import ssl
from pathlib import Path

from pydantic_core import PydanticCustomError

from proxy.config.fields import DEFAULT_PORTS, address, split_url
from proxy.config.fit.values import Values
from proxy.config.schema import Admin, File
from proxy.config.source import Document, KeyPath
from proxy.config.source.files import read_file

TRAFFIC = File.model_fields["listen"].default
ADMIN = Admin.model_fields["listen"].default
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
NO_CERTIFICATE = (
    "names a file without a certificate that can be loaded",
    "name a PEM file: its certificates begin with -----BEGIN CERTIFICATE-----",
)
EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104  # compared with, not listened on


def fit_machine(document: Document) -> None:
    """Report what this machine can't serve with."""
    fit = _Fit(document)
    fit.listeners()
    fit.tls()
    fit.data_dir()
    for name in fit.names("upstreams"):
        fit.upstream(name)


class _Fit(Values):
    def listeners(self) -> None:
        traffic, admin = self.at("listen"), self.at("admin", "listen")
        host, port = _address(traffic, TRAFFIC)
        admin_host, admin_port = _address(admin, ADMIN)
        if 0 < port == admin_port and (host == admin_host or EVERYWHERE & {host, admin_host}):
            self.report(
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
            self.report(("tls", which), reason, remedy)

    def data_dir(self) -> None:
        name = self.sound("data_dir")
        if name is not None and name.strip() and _is_no_folder(self.folder / name):
            self.report(
                ("data_dir",),
                "names something that is no folder",
                "name a folder; turnout makes it where there is none",
            )

    def upstream(self, name: str) -> None:
        here = ("upstreams", name)
        headers = self.names(*here, "headers")
        twice = next((each for each in headers if each.lower() == "authorization"), None)
        if twice is not None and self.at(*here, "api_key") is not None:
            self.report(
                (*here, "headers", twice),
                "is set by 'api_key' already",
                "keep one of the two",
            )
        lower = [each.lower() for each in headers]
        for index, each in enumerate(headers):
            if lower[index] in lower[:index]:
                self.report((*here, "headers", each), "is there twice", "keep one of the two")
        first = self.number(*here, "eject_seconds", default=10.0)
        most = self.number(*here, "eject_seconds_max", default=300.0)
        if first is not None and most is not None and first > most:
            self.report(
                (*here, "eject_seconds"),
                "is more than 'eject_seconds_max'",
                f"choose at most {most:g}, or raise 'eject_seconds_max'",
            )
        authorities = self.readable(*here, "ca_file")
        if authorities is not None and not _holds_certificate(authorities):
            self.report((*here, "ca_file"), *NO_CERTIFICATE)
        self.own_address((*here, "base_url"))

    def own_address(self, path: KeyPath) -> None:
        """Report an upstream that is turnout itself: requests would go round in a circle."""
        url = self.at(*path)
        host, port = _url_address(url)
        for listen, default in ((self.at("listen"), TRAFFIC), (self.at("admin", "listen"), ADMIN)):
            own_host, own_port = _address(listen, default)
            here = own_host in EVERYWHERE | LOOPBACK and host in EVERYWHERE | LOOPBACK
            if 0 < port == own_port and (here or host == own_host):
                self.report(
                    path,
                    "is turnout's own address",
                    "name the model server's, or listen elsewhere",
                )

    def readable(self, *path: str) -> Path | None:
        """Return the file that `path` names, where it names one; report one that can't be read."""
        name = self.sound(*path)
        if name is None or not name.strip():
            return None
        file = self.folder / name
        reason = _unreadable(file)
        if reason is None:
            return file
        self.report(
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


def _is_no_folder(path: Path) -> bool:
    try:
        return path.exists() and not path.is_dir()
    except (OSError, ValueError):
        return True


def _unreadable(path: Path) -> str | None:
    try:
        read_file(path, 1)
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
