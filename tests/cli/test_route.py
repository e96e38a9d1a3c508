import json
from pathlib import Path

from tests.cli.conftest import Run


def test_json_is_for_programs(run: Run, file: Path) -> None:
    told = json.loads(run("route", "explain", "support", "--user", "erin", "--json").stdout)

    assert (told["route"], told["variant"], told["forced"]) == ("support", "ft-v2", False)
    assert (told["source"], told["version"]) == ("file", None)
    assert 0 <= told["position"] < 0.1
    assert told["segments"] == [
        {"variant": "ft-v2", "start": 0.0, "end": 0.1, "share": 0.1, "instead_of": None},
        {"variant": "base", "start": 0.1, "end": 1.0, "share": 0.9, "instead_of": None},
    ]


def test_routes_are_listed_with_their_splits(run: Run, file: Path) -> None:
    lines = run("route", "list").stdout.splitlines()

    assert lines[0] == "support  (sticky: user)"
    assert lines[1] == "   ft-v2  0.000000 to 0.100000  10%"
    assert lines[3] == "by-key  (sticky: key)"
    listed = json.loads(run("route", "list", "--json", "--config", str(file)).stdout)
    assert [each["route"] for each in listed] == ["support", "by-key", "by-chance"]
    assert listed[1]["segments"][0]["share"] == 1.0


def test_a_file_without_routes_says_so(run: Run, file: Path) -> None:
    file.write_text(
        "upstreams: {sim: {base_url: http://sim}}\ndefault_upstream: sim\n", encoding="utf-8"
    )

    assert "there is no route 'support'; the file has none" in (
        run("route", "explain", "support").stderr
    )
    assert run("route", "list").stdout == ""
