"""A certificate authority for tests, made by the openssl program when it is first needed."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificates:
    """An authority's file, and a server's certificate (localhost, 127.0.0.1) signed by it."""

    ca_file: str
    certificate: str
    key: str

    def server_context(self) -> ssl.SSLContext:
        """Return the context of a server that shows this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


NEW = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
NAMES = "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"


def make_certificates(folder: Path) -> Certificates:
    """Make an authority and a server's certificate in `folder`."""
    _openssl(
        folder,
        f"{NEW} -keyout ca.key -out ca.pem -subj /CN=turnout-test-authority"
        " -addext keyUsage=critical,keyCertSign",
    )
    _openssl(
        folder,
        f"{NEW} -CA ca.pem -CAkey ca.key -keyout server.key -out server.pem {NAMES}"
        " -addext basicConstraints=critical,CA:FALSE",
    )
    paths = (str(folder / name) for name in ("ca.pem", "server.pem", "server.key"))
    return Certificates(*paths)


def _openssl(folder: Path, arguments: str) -> None:
    subprocess.run(["openssl", *arguments.split()], cwd=folder, check=True, capture_output=True)
