"""Files that are right: those in good/ and the examples in the documents."""

import re
from pathlib import Path

import pytest

from proxy.config.check import check
from proxy.config.compile import load_settings
from proxy.config.schema import json_schema
from proxy.config.source import load
from tests.support.schemas import misfits

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
GOOD = sorted((HERE / "good").glob("*.yaml"))
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ENVIRON = {
    name: f"https://{name.lower()}.example"
    for name in (
        *("OPENAI_API_KEY", "AZURE_API_KEY", "ALERT_WEBHOOK", "ALERT_SECRET"),
        *("SLACK_WEBHOOK", "SMTP_PASSWORD"),
    )
}
EXAMPLES = [
    pytest.param(text, id=f"{page.name}-{number}")
    for page in (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")))
    for number, text in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), start=1)
    if "upstreams:" in text
]


class AsWritten(dict[str, str]):
    """An environment in which every variable holds its own reference."""

    def get(self, name: str, default: object = None) -> str:
        return f"${{{name}}}"


def as_an_editor_sees(file: Path) -> object:
    """Return the values of a file with its references as they are written."""
    return load(str(file), AsWritten()).value


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_a_good_file_has_no_problems_and_becomes_settings(file: Path) -> None:
    assert check(str(file), ENVIRON).problems == ()
    assert load_settings(str(file), ENVIRON).data_plane.upstreams


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_in_the_documents_is_a_good_file(text: str, tmp_path: Path) -> None:
    file = tmp_path / "turnout.yaml"
    file.write_text(text, encoding="utf-8")

    assert check(str(file), ENVIRON).problems == ()
    assert misfits(as_an_editor_sees(file), json_schema()) == []


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_the_schema_for_editors_takes_every_good_file(file: Path) -> None:
    assert misfits(as_an_editor_sees(file), json_schema()) == []
