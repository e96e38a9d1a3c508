"""Certificates and keys, which are made for each test: a repository is no place for a key."""

import subprocess
from pathlib import Path

import pytest

from proxy.config.check import check
from proxy.config.compile import load_settings
from proxy.config.settings import Tls
from tests.support.certificates import make_certificates

FILE = """\
upstreams: {{sim: {{base_url: http://sim/v1}}}}
default_upstream: sim
tls: {{certificate: {}, key: {}}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pairs (ca, server), a locked key and a pair that is too weak."""
    folder = tmp_path_factory.mktemp("tls")
    make_certificates(folder)
    for arguments in (
        "pkey -in server.key -aes128 -passout pass:canary -out locked.key",
        "req -x509 -newkey rsa:512 -noenc -keyout weak.key -out weak.pem -days 2 -subj /CN=x",
    ):
        subprocess.run(
            ["openssl", *arguments.split()], cwd=folder, check=True, capture_output=True
        )
    return folder


def written(folder: Path, certificate: str, key: str) -> str:
    """Return a file that asks for TLS with these two."""
    file = folder / "turnout.yaml"
    file.write_text(FILE.format(certificate, key), encoding="utf-8")
    return str(file)


def test_a_certificate_and_its_key_are_what_tls_is_served_with(folder: Path) -> None:
    settings = load_settings(written(folder, "server.pem", "server.key"), {})

    assert settings.tls == Tls(
        certificate=str(folder / "server.pem"), key=str(folder / "server.key")
    )


@pytest.mark.parametrize(
    ("pair", "path", "reason", "remedy"),
    [
        (("server.pem", "ca.key"), "tls.key", "does not belong to the certificate", "made for"),
        (("server.pem", "locked.key"), "tls.key", "is locked by a passphrase", "openssl pkey"),
        (("server.key", "server.pem"), "tls.certificate", "without a certificate", "PEM"),
        (("weak.pem", "weak.key"), "tls.certificate", "ee key too small", "stronger"),
    ],
)
def test_a_pair_that_can_not_be_served_with_is_a_problem(
    folder: Path, pair: tuple[str, str], path: str, reason: str, remedy: str
) -> None:
    (problem,) = check(written(folder, *pair), {}).problems

    assert problem.path == path
    assert reason in problem.reason
    assert remedy in problem.remedy
