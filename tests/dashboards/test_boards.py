"""The boards' files are what their source says, and what Grafana's own model takes."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.pictures.asking import panels
from dashboards.source import boards
from proxy.sinks.metrics.cells import Histogram
from proxy.sinks.metrics.reference import every_metric
from tests.dashboards.boards import BOARDS, FOLDER, NAMES

GRAFANAS = {"__all", "__range", "__interval", "__rate_interval", "__url_time_range", "__data"}
METRIC = re.compile(r"\b((?:gen_ai|turnout)_\w+)\{")
NAMED = pytest.mark.parametrize("name", NAMES)


def expressions(name: str) -> Iterator[str]:
    """Return every query of a board."""
    for panel in panels(BOARDS[name]):
        yield from (target["expr"] for target in panel["targets"])
    yield from (each["expr"] for each in BOARDS[name]["annotations"]["list"])


def words(value: Any) -> Iterator[str]:
    """Return every text in a board's JSON."""
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else value:
        if not isinstance(value, str):
            yield from words(part) if isinstance(part, dict | list | str) else ()


@NAMED
def test_the_file_is_what_the_source_says(name: str) -> None:
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert text == boards()[name].json(), "run: make dashboards"


def test_there_are_no_other_boards() -> None:
    assert tuple(boards()) == NAMES == tuple(sorted(BOARDS, key=NAMES.index))
    assert {path.stem for path in FOLDER.glob("*.json")} == set(NAMES)


@NAMED
def test_grafanas_own_model_takes_the_file_and_loses_nothing(name: str) -> None:
    register_default_plugins()
    model = Dashboard.from_json(BOARDS[name])
    assert json.loads(json.dumps(model, cls=JSONEncoder)) == BOARDS[name]


@NAMED
def test_every_panel_says_what_it_shows_in_which_unit_and_what_it_means_if_empty(
    name: str,
) -> None:
    for panel in panels(BOARDS[name]):
        said = panel["fieldConfig"]["defaults"]
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert said["unit"], panel["title"]
        assert said["noValue"], panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert {each["datasource"]["uid"] for each in panel["targets"]} == {"${datasource}"}


@NAMED
def test_panels_have_numbers_of_their_own_and_lie_on_no_other(name: str) -> None:
    numbers = [panel["id"] for panel in BOARDS[name]["panels"]]
    assert len(set(numbers)) == len(numbers) <= 30
    taken: set[tuple[int, int]] = set()
    for panel in BOARDS[name]["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


@NAMED
def test_a_board_uses_each_of_its_variables_and_no_other(name: str) -> None:
    known = {each["name"] for each in BOARDS[name]["templating"]["list"]}
    used = {found for text in words(BOARDS[name]) for found in re.findall(r"\$\{?([a-z_]+)", text)}
    assert used - GRAFANAS == known


@NAMED
def test_every_metric_that_is_asked_for_is_one_of_turnouts(name: str) -> None:
    parts = {"_bucket", "_count", "_sum"}
    exist = {
        family.name + part
        for family in every_metric().families
        for part in (parts if isinstance(family, Histogram) else {""})
    }
    asked = {metric for text in expressions(name) for metric in METRIC.findall(text)}
    assert asked
    assert asked <= exist


def test_quantiles_are_of_buckets_added_up_and_who_left_failed_nobody() -> None:
    every = [text for name in NAMES for text in expressions(name)]
    for text in every:
        assert text.count("histogram_quantile(") == text.count("sum by (le")
        assert not re.search(r'outcome[=~!]+"[^"]*client_gone', text) or "!=" in text
    assert any("histogram_quantile(" in text for text in every)


def test_boards_lead_to_one_another() -> None:
    for board in BOARDS.values():
        (link,) = board["links"]
        assert (link["type"], link["keepTime"], link["includeVars"]) == ("dashboards", True, True)
        assert set(link["tags"]) <= set(board["tags"])
    uids = {board["uid"] for board in BOARDS.values()}
    paths = {path for board in BOARDS.values() for path in re.findall(r"/d/([\w-]+)", str(board))}
    assert paths
    assert paths <= uids
