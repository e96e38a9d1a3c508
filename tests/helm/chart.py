"""The chart as Helm makes it: rendered by the real programs, read as YAML.

chart = render(helm, "watched")
pod = chart.pod()
assert chart.one("Service", "turnout-admin")["spec"]["ports"] ...
"""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "helm"
TOOLS = ROOT / ".tools"
SCENARIOS = {file.name.removesuffix("-values.yaml"): file for file in FOLDER.glob("ci/*.yaml")}
MAJORS = (3, 4)

Helm = Path  # the program
Manifest = dict[str, Any]


class Refused(Exception):
    """Helm did not make the chart; it says why."""


class Rendered:
    """What one `helm template` made."""

    def __init__(self, text: str) -> None:
        self.manifests: list[Manifest] = [each for each in yaml.safe_load_all(text) if each]

    def of(self, kind: str) -> list[Manifest]:
        """Return all of a kind."""
        return [each for each in self.manifests if each["kind"] == kind]

    def one(self, kind: str, name: str | None = None) -> Manifest:
        """Return the one of a kind, or the one of that name."""
        found = [each for each in self.of(kind) if name in (None, each["metadata"]["name"])]
        assert len(found) == 1, [each["metadata"]["name"] for each in self.of(kind)]
        return found[0]

    def names(self) -> set[tuple[str, str]]:
        """Return what there is, by kind and name."""
        return {(each["kind"], each["metadata"]["name"]) for each in self.manifests}

    def pod(self) -> Manifest:
        """Return the template of turnout's pods."""
        found = [each for kind in ("Deployment", "StatefulSet") for each in self.of(kind)]
        assert len(found) == 1
        template: Manifest = found[0]["spec"]["template"]
        return template

    def container(self) -> Manifest:
        """Return turnout's container."""
        found: list[Manifest] = self.pod()["spec"]["containers"]
        assert len(found) == 1
        return found[0]

    def file(self) -> str:
        """Return turnout.yaml as pods get it."""
        text: str = self.config_map()["turnout.yaml"]
        return text

    def config_map(self) -> dict[str, str]:
        """Return the files of the mounted ConfigMap."""
        name = self.volume("config")["configMap"]["name"]
        files: dict[str, str] = self.one("ConfigMap", name)["data"]
        return files

    def volume(self, name: str) -> Manifest:
        """Return a volume of the pod."""
        found: list[Manifest] = self.pod()["spec"]["volumes"]
        return next(each for each in found if each["name"] == name)


def helm_of(program: Path) -> int:
    """Return the major version of a Helm."""
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=True)
    version = re.search(r'Version:"v(\d+)\.', said.stdout)
    assert version is not None, said.stdout
    return int(version[1])


@cache
def found(major: int) -> Helm | None:
    """Return the Helm of a major version: the one that was fetched, else one on the PATH."""
    fetched = TOOLS / f"helm{major}"
    if fetched.exists():
        return fetched
    other = shutil.which("helm")
    return Path(other) if other is not None and helm_of(Path(other)) == major else None


def scenario(helm: Helm, name: str) -> Rendered:
    """Return what a file of helm/ci makes."""
    return _rendered(helm, ("--values", str(SCENARIOS[name])), release="turnout")


def render(helm: Helm, *arguments: str, release: str = "turnout", **values: Any) -> Rendered:
    """Return what the chart makes of some values; Refused: nothing."""
    return _rendered(helm, arguments, release=release, values=yaml.safe_dump(values))


@cache
def _rendered(
    helm: Helm, arguments: tuple[str, ...], *, release: str, values: str = "{}"
) -> Rendered:
    command = [str(helm), "template", release, str(FOLDER), "--values", "-", *arguments]
    made = subprocess.run(command, input=values, capture_output=True, text=True, check=False)
    if made.returncode:
        raise Refused(made.stderr)
    return Rendered(made.stdout)
