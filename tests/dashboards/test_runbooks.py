"""The runbooks: a page for each alert and none beside, with commands and queries that work."""

import re
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from proxy.alerting import AlertName
from proxy.alerting.windows.rules import WindowAlert
from proxy.cli import main
from tests.dashboards.test_rules import needs_promtool, promtool
from tests.frame.examples import fenced
from tests.frame.source import ROOT
from tests.support.promql import spoken
from tests.support.rules import ALWAYS, alerts, recorded, series

FOLDER = ROOT / "docs" / "runbooks"
PAGES = {path.stem: path for path in FOLDER.glob("*.md") if path.name != "README.md"}
CONFIG = """\
upstreams: {vllm: {base_url: 'http://vllm:8000/v1'}}
routes: {support: {variants: {base: {upstream: vllm}}}}
"""
SETTING = re.compile(r"`(routes\.ROUTE\.)?alerts\.(\w+): (off|\{.*?\})`")
PARTS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]


def text(name: str) -> str:
    """Return the text of a page."""
    return PAGES[name].read_text(encoding="utf-8")


@cache
def linked() -> dict[str, set[str]]:
    """Return the pages that Prometheus' alerts link, and the names of those alerts."""
    found: dict[str, set[str]] = {}
    for alert in alerts():
        page = Path(alert["annotations"]["runbook_url"])
        assert page.parent == Path("docs/runbooks")
        found.setdefault(page.stem, set()).add(alert["alert"])
    return found


def test_each_alert_has_a_page_and_each_page_an_alert() -> None:
    assert set(PAGES) == {*AlertName, *WindowAlert} | linked().keys()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_it_means_whom_it_hurts_why_and_what_to_do(name: str) -> None:
    page = text(name)
    assert page.startswith(f"# {name}\n")
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == PARTS
    sections = re.split(r"^## .*$", page, flags=re.MULTILINE)
    assert all(len(section.split()) > 4 for section in sections)
    assert all(f"`{alert}`" in page for alert in linked().get(name, ()))
    assert "$ turnout " in page


def test_the_index_names_every_page_with_its_alerts() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    own = {*AlertName, *WindowAlert}
    rows = {
        f"| [{name}]({name}.md) | {f'`{name}`' if name in own else ''} "
        f"| {', '.join(f'`{alert}`' for alert in ordered(name))} |".replace("|  |", "| |")
        for name in PAGES
    }
    assert {line for line in index.splitlines() if line.startswith("| [")} == rows


def ordered(page: str) -> list[str]:
    """Return the alerts that link a page, as the rules order them."""
    return list(
        dict.fromkeys(a["alert"] for a in alerts() if a["alert"] in linked().get(page, ()))
    )


@pytest.mark.parametrize("name", PAGES)
def test_settings_of_alerts_in_a_page_are_good_ones(name: str, tmp_path: Path) -> None:
    path = tmp_path / "turnout.yaml"
    for route, alert, value in SETTING.findall(text(name)):
        said = {"alerts": {alert: yaml.safe_load(value) or "off"}}
        config = yaml.safe_load(CONFIG)
        (config["routes"]["support"] if route else config).update(said)
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        result = CliRunner().invoke(main, ["check", str(path)])
        assert result.exit_code == 0, result.output


DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
QUERIES = [
    (path.name, block)
    for path in DOCUMENTS
    for language, block in fenced(path.read_text(encoding="utf-8"))
    if language == "promql"
]


def test_a_query_in_the_documents_speaks_of_what_is_there() -> None:
    labels = series() | ALWAYS
    every = set(chain.from_iterable(labels.values()))
    for name, query in QUERIES:
        said = spoken(query)
        assert said.selectors, name
        assert said.grouping <= every, name
        for selector in said.selectors:
            assert selector.metric in labels.keys() | recorded(), name
            picked = {matcher.label for matcher in selector.matchers}
            assert picked <= labels.get(selector.metric, every), name


@needs_promtool
def test_prometheus_takes_the_queries_in_the_documents(tmp_path: Path) -> None:
    rules = [{"record": f"query:{n}", "expr": query} for n, (_, query) in enumerate(QUERIES)]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    assert "SUCCESS" in promtool("check", "rules", path)
