from pathlib import Path

from tests.cli.conftest import GOOD, Run

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
    first, why, *segments, last, source = result.stdout.splitlines()
    assert first == "support -> ft-v2"
    assert why.startswith("user 'erin' stands at 0.0")
    assert why.endswith("in the stretch of 'ft-v2' from 0.000000 to 0.100000.")
    assert segments == [
        " * ft-v2  0.000000 to 0.100000  10%",
        "   base   0.100000 to 1.000000  90%",
    ]
    assert last == "Should it fail before its first byte: base."
    assert source == "By turnout.yaml, since no turnout answers."


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
    assert pinned[-3:-1] == [
        "Off, and so asked by nobody: old.",
        "Shadow: 'ft-v2' gets 12.5% of the requests as well.",
    ]
    assert refused.exit_code == 1
    assert "Variant 'old' of route 'support' is off; these are on: base, ft-v2." in refused.stderr
