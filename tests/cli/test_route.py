import hashlib
import json
from pathlib import Path

import pytest

from tests.cli.conftest import GOOD, Run

KEYS = f"keys:\n  app: {{sha256: {'a' * 64}}}\n"
SPLIT = "    split: {base: 90, ft-v2: 10}\n"
MORE = """\
      old: {upstream: sim, off: true}
    split: {base: 85, ft-v2: 10, old: 5}
    pins: {alice: ft-v2}
    shadow: {variant: ft-v2, percent: 12.5}
"""


def test_a_route_is_explained_with_variant_reason_split_and_fallback(run: Run, file: Path) -> None:
    result = run("route", "explain", "support", "--user", "erin")

    assert result.exit_code == 0
    first, why, *segments, last = result.stdout.splitlines()
    assert first == "support -> ft-v2"
    assert why.startswith("user 'erin' stands at 0.0")
    assert why.endswith("in the stretch of 'ft-v2' from 0.000000 to 0.100000.")
    assert segments == [
        " * ft-v2  0.000000 to 0.100000  10%",
        "   base   0.100000 to 1.000000  90%",
    ]
    assert last == "Should it fail before its first byte: base."


def test_without_a_unit_the_odds_are_told(run: Run, file: Path) -> None:
    lines = run("route", "explain", "support").stdout.splitlines()

    assert lines[:2] == [
        "support -> by chance",
        "'support' splits requests without a user by chance: ft-v2 10%, base 90%.",
    ]
    assert not any("*" in line for line in lines)


def test_a_forced_variant_is_explained(run: Run, file: Path) -> None:
    result = run("route", "explain", "support", "--variant", "ft-v2")

    assert result.stdout.startswith("support -> ft-v2\n'ft-v2' was asked for by name")


def test_pins_what_is_off_and_the_shadow_are_explained(run: Run, file: Path) -> None:
    file.write_text(GOOD.replace(SPLIT, MORE), encoding="utf-8")

    pinned = run("route", "explain", "support", "--user", "alice").stdout.splitlines()
    refused = run("route", "explain", "support", "--variant", "old")

    assert pinned[1] == "user 'alice' is pinned to 'ft-v2', so the split does not count."
    assert "   base   0.950000 to 1.000000   5%  instead of old, which is off" in pinned
    assert pinned[-2:] == [
        "Off, and so asked by nobody: old.",
        "Shadow: 'ft-v2' gets 12.5% of the requests as well.",
    ]
    assert refused.exit_code == 1
    assert "Variant 'old' of route 'support' is off; these are on: base, ft-v2." in refused.stderr


def test_json_is_for_programs(run: Run, file: Path) -> None:
    told = json.loads(run("route", "explain", "support", "--user", "erin", "--json").stdout)

    assert (told["route"], told["variant"], told["forced"]) == ("support", "ft-v2", False)
    assert 0 <= told["position"] < 0.1
    assert told["segments"] == [
        {"variant": "ft-v2", "start": 0.0, "end": 0.1, "share": 0.1, "instead_of": None},
        {"variant": "base", "start": 0.1, "end": 1.0, "share": 0.9, "instead_of": None},
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nope",), "there is no route 'nope'; there are: support, by-key, by-chance"),
        (("support", "--key", "k"), "'support' sticks to the user, not to the key"),
        (("by-chance", "--user", "u"), "'by-chance' sticks to the request, not to the user"),
        (("by-key", "--key", "secret"), "--key takes the SHA-256 digest"),
    ],
)
def test_what_cannot_be_explained_is_told_on_stderr(
    run: Run, file: Path, words: tuple[str, ...], message: str
) -> None:
    result = run("route", "explain", *words)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr


def test_an_unknown_variant_is_refused_as_the_proxy_would(run: Run, file: Path) -> None:
    result = run("route", "explain", "support", "--variant", "nope")

    assert result.exit_code == 1
    assert "Route 'support' has no variant 'nope'; it has: base, ft-v2." in result.stderr


def test_a_key_is_given_by_name_where_keys_are_configured(run: Run, file: Path) -> None:
    file.write_text(GOOD + KEYS, encoding="utf-8")

    assert run("route", "explain", "by-key", "--key", "app").stdout.startswith(
        "by-key -> base\nkey"
    )
    assert "there is no key 'web'; there are: app" in (
        run("route", "explain", "by-key", "--key", "web").stderr
    )


def test_a_key_is_given_by_digest_where_none_are_configured(run: Run, file: Path) -> None:
    digest = hashlib.sha256(b"sk-1").hexdigest()

    told = json.loads(run("route", "explain", "by-key", "--key", digest.upper(), "--json").stdout)

    assert told["unit"] == digest


def test_a_file_with_problems_explains_nothing_but_the_problems(run: Run, file: Path) -> None:
    file.write_text(GOOD.replace("upstream: sim", "upstream: smi"), encoding="utf-8")

    result = run("route", "explain", "support")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.count("names 'smi', which is no upstream; did you mean 'sim'?") == 4


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
