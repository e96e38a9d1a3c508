"""The stack for Docker: what can be said of it where no container can be run.

Each file is read by the program that it is for, where there is one; what they say of each other
agrees.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from proxy.cli import main
from tests.dashboards.boards import FOLDER, NAMES

STACK = FOLDER / "compose"
Yaml = dict[str, Any]


def read(name: str) -> Yaml:
    value: Yaml = yaml.safe_load((STACK / name).read_text(encoding="utf-8"))
    return value


COMPOSE = read("compose.yaml")
SERVICES: dict[str, Yaml] = COMPOSE["services"]
MOUNTS = {
    (service, inside): (STACK / outside).resolve()
    for service, said in SERVICES.items()
    for outside, inside in (each.split(":")[:2] for each in said["volumes"])
    if outside.startswith(".")
}


def run(*command: object) -> None:
    ran = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def needs(program: str) -> pytest.MarkDecorator:
    missing = shutil.which(program) is None
    return pytest.mark.skipif(missing, reason=f"{program} is not installed")


def test_compose_takes_the_file() -> None:
    checker = Path(sys.executable).parent / "check-jsonschema"
    run(checker, "--builtin-schema", "vendor.compose-spec", STACK / "compose.yaml")


def test_everything_has_a_version_of_its_own_and_is_seen_on_this_machine_only() -> None:
    for name, service in SERVICES.items():
        if "build" in service:
            assert (STACK / service["build"] / "Dockerfile").exists()
        else:
            _, _, tag = service["image"].partition(":")
            assert tag.lstrip("v")[0].isdigit(), name
        assert all(each.startswith("127.0.0.1:") for each in service["ports"]), name


def test_what_is_mounted_is_there_and_every_file_of_the_folder_is_mounted() -> None:
    assert [str(path) for path in MOUNTS.values() if not path.exists()] == []
    files = {path for path in STACK.rglob("*") if path.is_file()} - {STACK / "compose.yaml"}
    covered = {file for file in files if {file, file.parent} & set(MOUNTS.values())}
    assert files == covered


@needs("promtool")
def test_prometheus_takes_its_configuration_with_the_rules(tmp_path: Path) -> None:
    inside = Path("/etc/prometheus")
    for (service, where), path in MOUNTS.items():
        if service == "prometheus":
            (tmp_path / Path(where).relative_to(inside)).symlink_to(path)
    run("promtool", "check", "config", tmp_path / "prometheus.yaml")
    found = list(tmp_path.glob(read("prometheus.yaml")["rule_files"][0]))
    assert len(found) == len(list((FOLDER / "prometheus").glob("*.yaml"))) > 0


@needs("amtool")
def test_alertmanager_takes_its_configuration() -> None:
    run("amtool", "check-config", STACK / "alertmanager.yaml")


def test_turnout_takes_its_configuration() -> None:
    said = dict.fromkeys(SERVICES["turnout"]["environment"], "http://models.internal/v1")
    said["ADMIN_SHA256"] = hashlib.sha256(b"a token").hexdigest()
    result = CliRunner().invoke(main, ["check", str(STACK / "turnout.yaml")], env=said)
    assert result.exit_code == 0, result.output


def test_grafana_finds_the_boards_and_prometheus() -> None:
    (provider,) = read("grafana/dashboards/turnout.yaml")["providers"]
    boards = {where: path for (service, where), path in MOUNTS.items() if service == "grafana"}
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    folder = provider["options"]["path"]
    assert {boards[f"{folder}/{name}.json"] for name in NAMES} == {
        FOLDER / f"{name}.json" for name in NAMES
    }
    assert home in boards
    (source,) = read("grafana/datasources/prometheus.yaml")["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert (
        source["jsonData"]["timeInterval"] == read("prometheus.yaml")["global"]["scrape_interval"]
    )


def test_who_is_asked_is_a_service_on_a_port_that_it_has() -> None:
    prometheus = read("prometheus.yaml")
    (job,), (alerting,) = prometheus["scrape_configs"], prometheus["alerting"]["alertmanagers"]
    asked = {
        target
        for where in (job, alerting)
        for each in where["static_configs"]
        for target in each["targets"]
    }
    ports = {
        f"{name}:{each.rpartition(':')[2]}"
        for name, service in SERVICES.items()
        for each in service["ports"]
    }
    assert asked <= ports
    assert asked == {"turnout:8001", "alertmanager:9093"}
    assert read("turnout.yaml")["admin"]["names"] == ["turnout"]
