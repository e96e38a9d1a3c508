"""The table at a terminal: what nobody has is left out, and notes are told."""

from rich.console import Console

from proxy.cli.comparing.table import table
from proxy.controlplane.admin.comparing.models import Comparison
from tests.cli.comparing.test_compare import comparison


def drawn(found: Comparison) -> str:
    console = Console(width=200, force_terminal=False)
    with console.capture() as capture:
        for part in table(found):
            console.print(part)
    return capture.get()


def test_what_no_variant_has_is_left_out_and_what_one_lacks_is_a_dash() -> None:
    lines = [line for line in drawn(comparison("ft")).splitlines() if line.startswith("errors")]
    assert len(lines) == 2
    assert lines[0].endswith("not enough data")
    assert " - " in lines[1]


def test_what_data_lack_is_told_once_and_not_in_each_row() -> None:
    assert (
        "Not enough data for errors, errors: ft has 3 of 10 units."
        in drawn(comparison("ft")).splitlines()
    )


def test_where_nothing_is_on_record_there_is_no_empty_table() -> None:
    said = comparison("ft").model_dump()
    said["candidates"][0]["rows"] = said["candidates"][0]["rows"][2:]
    assert "There is nothing to compare" in drawn(Comparison.model_validate(said))


def test_what_was_left_out_is_counted_and_notes_are_told() -> None:
    said = drawn(comparison("ft"))
    assert "left out: pinned" in said
    assert "cost unknown" in said
    assert "! about ft" in said


def test_a_name_can_not_move_the_cursor() -> None:
    assert "\x1b" not in drawn(comparison("ft\x1b[2J"))
