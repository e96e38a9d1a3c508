"""The bill of materials says the same of the same commit, whenever it is written."""

from copy import deepcopy
from typing import Any

from release.bill import completed

FROM_UV: dict[str, Any] = {
    "serialNumber": "urn:uuid:7a8e9313-ae12-4c6d-8c03-3dec4918220c",
    "metadata": {"timestamp": "2026-11-23T02:55:49.181218450Z", "component": {"name": "turnout"}},
    "components": [{"name": "click", "version": "8"}, {"name": "only-on-windows", "version": "1"}],
}


def test_two_bills_of_one_commit_are_the_same_though_written_at_other_times() -> None:
    later = deepcopy(FROM_UV)
    later["serialNumber"] = "urn:uuid:00000000-0000-4000-8000-000000000000"
    later["metadata"]["timestamp"] = "2027-01-01T00:00:00Z"
    first = completed(deepcopy(FROM_UV), "1.0", 1_795_000_000)
    assert first == completed(later, "1.0", 1_795_000_000)
    assert first["metadata"]["timestamp"] == "2026-11-18T11:06:40Z"
    other = completed(deepcopy(FROM_UV), "1.1", 1_795_000_000)
    assert other["serialNumber"] != first["serialNumber"]


def test_a_component_that_is_installed_has_its_licence() -> None:
    components = completed(deepcopy(FROM_UV), "1.0", 0)["components"]
    assert components[0]["licenses"] == [{"expression": "BSD-3-Clause"}]
    assert "licenses" not in components[1]
