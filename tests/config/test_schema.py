"""The JSON Schema for editors."""

from typing import Any

import pytest

from proxy.config.schema import json_schema
from tests.support.schemas import misfits

UPSTREAMS = {"sim": {"base_url": "http://sim/v1"}}


def test_every_setting_is_described_and_no_other_is_taken() -> None:
    schema = json_schema()
    parts = [schema, *(part for part in schema["$defs"].values() if "properties" in part)]

    assert len(parts) > 15
    for part in parts:
        assert part["additionalProperties"] is False
        for name, said in part["properties"].items():
            text = said.get("description") or target(said, schema)["description"]
            assert len(text) > 10, name
            assert "\n" not in text


def target(said: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["$defs"][said["$ref"].rsplit("/", 1)[1]]
    return found


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"wrokers": 2}, "wrokers"),
        ({"workers": "many"}, "workers"),
        ({"workers": 0}, "workers"),
        ({"upstreams": {"a b": {"base_url": "http://sim"}}}, "upstreams.a b"),
        ({"upstreams": {"sim": {}}}, "upstreams.sim"),
        ({"upstreams": {"sim": {"base_url": "sim"}}}, "upstreams.sim.base_url"),
        ({"routes": {"r": {"variants": {}}}}, "routes.r.variants"),
        ({"alerts": {"slow": {"latency_ms": 0}}}, "alerts.slow.latency_ms"),
        ({"alerts": {"slow": None}}, "alerts.slow"),
        ({"log": {"format": "xml"}}, "log.format"),
    ],
)
def test_an_editor_sees_what_is_wrong(wrong: dict[str, object], path: str) -> None:
    assert misfits({"upstreams": UPSTREAMS} | wrong, json_schema()) == [path]


@pytest.mark.parametrize(
    "right",
    [
        {"workers": "auto"},
        {"workers": "${WORKERS}"},
        {"drain_seconds": "${DRAIN:-5}"},
        {"alerts": {"slow": "off", "short": False}},
        {"log": {"format": "${LOG_FORMAT}"}},
        {"default_upstream": "${UPSTREAM}"},
        {"limits": {"body_bytes": "32MiB", "head_bytes": 2048}},
    ],
)
def test_an_editor_takes_references_sizes_and_off(right: dict[str, object]) -> None:
    assert misfits({"upstreams": UPSTREAMS} | right, json_schema()) == []
