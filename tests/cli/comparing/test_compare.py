"""`turnout compare`: what is worse is red and said, what lacks data too; the page stands alone."""

import json
import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
import structlog

from proxy.cli.comparing.page import page
from proxy.cli.comparing.plots import latencies
from proxy.cli.comparing.wording import amount, interval
from proxy.controlplane.admin.comparing.models import Comparison
from proxy.experiments import Measured
from tests.cli.conftest import Run
from tests.experiments.test_comparison import measured
from tests.support.served_admin import ServedAdmin, served_admin

VOID = {"meta", "br"}


class Measures:
    """The candidate fails three times as often and is slower; hardly anything else is known."""

    def measure(
        self, route: str, variants: Sequence[str], since: float, until: float
    ) -> list[Measured]:
        return [
            measured("base", failed=50),
            measured(variants[1], failed=150, low=200.0, tokens=120),
        ]


@pytest.fixture
def admin() -> Iterator[ServedAdmin]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with served_admin(compares=Measures()) as served:
        yield served
    structlog.reset_defaults()


def test_what_is_worse_is_said_beside_its_interval(turnout: Run) -> None:
    result = turnout("compare", "support", "--since", "6h", COLUMNS="200")
    assert result.exit_code == 0, result.output
    errors = next(line for line in result.stdout.splitlines() if line.startswith("errors"))
    assert re.search(r" 5\.00 % +15\.00 % +\+10\.00 pp +\+7\.\d\d to \+12\.\d\d pp ", errors)
    assert errors.rstrip().endswith("worse")
    tokens = next(line for line in result.stdout.splitlines() if line.startswith("reply tokens"))
    assert tokens.rstrip().endswith("differs")
    assert "none shown" in result.stdout


def test_what_is_worse_is_red(turnout: Run) -> None:
    result = turnout("compare", "support", COLUMNS="200", FORCE_COLOR="1", TERM="xterm")
    errors = next(line for line in result.stdout.splitlines() if "errors" in line)
    assert "\x1b[1;31m" in errors
    refusals = next(line for line in result.stdout.splitlines() if "refusals" in line)
    assert "\x1b[1;31m" not in refusals


def test_json_is_what_administration_says(turnout: Run) -> None:
    found = json.loads(turnout("compare", "support", "--candidate", "ft-v2", "--json").stdout)
    rows = {row["metric"]: row for row in found["candidates"][0]["rows"]}
    assert rows["error_rate"]["finding"] == "worse"
    assert rows["response_tokens"]["finding"] == "different"


def test_a_page_is_written_whole_or_its_place_is_complained_of(turnout: Run, folder: Path) -> None:
    result = turnout("compare", "support", "--html", "out.html")
    assert result.exit_code == 0, result.output
    written = (folder / "out.html").read_text(encoding="utf-8")
    assert written.startswith("<!DOCTYPE html>")
    assert 'class="worse"' in written
    failed = turnout("compare", "support", "--html", "nowhere/out.html")
    assert failed.exit_code == 1
    assert "can't be written" in failed.output


class Reader(HTMLParser):
    """Sees to it that tags close in order, and gathers what would be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.loads += [name for name, _ in attrs if name in ("src", "href", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def comparison(name: str) -> Comparison:
    side = {
        "variant": name,
        "requests": 9,
        "units": 3,
        "outcomes": {"completed": 9},
        "left_out": {"pinned": 2},
        "unpriced": 1,
        "latency_ms": [float(10 * each) for each in range(1, 100)],
    }
    value = {"value": 0.5, "requests": 9, "events": 4}
    nothing = {"value": None, "requests": 0, "events": None}
    row = {
        "metric": "error_rate",
        "unit": "share",
        "baseline": value,
        "candidate": value,
        "difference": 0.0,
        "low": -0.1,
        "high": 0.2,
        "finding": "too_little",
        "reason": f"{name} has 3 of 10 units",
    }
    bare = {"difference": None, "low": None, "high": None}
    rows = [
        row,
        row | bare | {"candidate": nothing},
        row | bare | dict.fromkeys(("baseline", "candidate"), nothing),
    ]
    return Comparison.model_validate(
        {
            "route": name,
            "since": "2026-11-21T00:00:00Z",
            "until": "2026-11-22T00:00:00Z",
            "baseline": side,
            "candidates": [{"side": side, "rows": rows}],
            "notes": [f"about {name}"],
        }
    )


def test_a_page_is_whole_loads_nothing_and_runs_nothing() -> None:
    reader = Reader()
    reader.feed(page(comparison("ft")))
    assert reader.open == []
    assert reader.loads == []
    assert not reader.seen & {"script", "link", "img", "iframe", "object"}
    assert {"svg", "caption", "th"} <= reader.seen


def test_a_name_is_never_markup() -> None:
    written = page(comparison("<b onload='x'>\"&\x1b[2J"))
    assert "<b " not in written
    assert "\x1b" not in written
    assert "&lt;b onload=&#x27;x&#x27;&gt;" in written


def test_no_times_make_no_plot() -> None:
    side = comparison("ft").baseline
    assert latencies([side.model_copy(update={"latency_ms": []})]) == ""
    alike = side.model_copy(update={"latency_ms": [100.0] * 99})
    assert "polyline" in latencies([alike])


@pytest.mark.parametrize(
    ("unit", "low", "high", "said"),
    [
        ("share", -0.01, 0.02, "-1.00 to +2.00 pp"),
        ("tokens", -1.0, 2.0, "-1.0 to +2.0"),
        ("tokens", 0.0, 0.0, "+0.0 to +0.0"),
        ("usd", -1e-17, 1e-17, "+0.0000 to +0.0000 $"),
        ("ms", -9_000.0, 12_000.0, "-9,000 ms to +12.0 s"),
    ],
)
def test_an_interval_says_its_unit_once_where_both_ends_have_it(
    unit: str, low: float, high: float, said: str
) -> None:
    row = comparison("ft").candidates[0].rows[0]
    assert interval(row.model_copy(update={"unit": unit, "low": low, "high": high})) == said


def test_amounts_are_said_in_their_unit() -> None:
    assert amount(0.0512, "share") == "5.12 %"
    assert amount(-0.0512, "share", signed=True) == "-5.12 pp"
    assert amount(12.34, "ms") == "12.3 ms"
    assert amount(1234.5, "ms", signed=True) == "+1,234 ms"
    assert amount(61_234.0, "ms") == "61.2 s"
    assert amount(1.5, "usd") == "1.5000 $"
    assert amount(-8e-17, "usd", signed=True) == "+0.0000 $"
    assert amount(1234.56, "tokens") == "1,234.6"
