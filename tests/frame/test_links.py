"""Every page is found, and every link leads to a place that is there."""

import re
from pathlib import PurePosixPath

import pytest

from proxy.exchange import ErrorCode
from tests.frame.source import ROOT, document
from tests.frame.test_documents import DOCUMENTS

FENCE = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(\s*(?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
REACHED_FROM = "README.md"


def links(name: str) -> list[tuple[str, str]]:
    """Return what a document links to: the file from the root, and the place in it or ""."""
    text = FENCE.sub("", document(name))
    folder = (ROOT / name).parent
    return [
        (str(folder.joinpath(path).resolve().relative_to(ROOT)) if path else name, anchor)
        for path, anchor in LINK.findall(text)
    ]


def anchors(name: str) -> set[str]:
    """Return the places of a document, as the forge names them after its headings."""
    found: dict[str, int] = {}
    for heading in HEADING.findall(FENCE.sub("", document(name))):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
    return {f"{slug}-{n}" if n else slug for slug, most in found.items() for n in range(most + 1)}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_link_to_a_place_in_a_page_finds_it(name: str) -> None:
    lost = [
        f"{page}#{anchor}"
        for page, anchor in links(name)
        if anchor and page.endswith(".md") and anchor not in anchors(page)
    ]
    assert lost == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set[str](), {REACHED_FROM}
    while waiting:
        name = waiting.pop()
        reached.add(name)
        pages = {page for page, _ in links(name) if page.endswith(".md")}
        waiting |= {page for page in pages if (ROOT / page).is_file()} - reached
    assert sorted(set(DOCUMENTS) - reached) == []


def test_the_index_of_the_documentation_names_each_of_its_pages() -> None:
    pages = {name for name in DOCUMENTS if PurePosixPath(name).parent.name == "docs"}
    named = {page for page, _ in links("docs/README.md")}
    assert sorted(pages - named - {"docs/README.md"}) == []


def test_the_page_of_errors_has_every_code_and_no_other() -> None:
    told = re.findall(
        r"^\| `(\w+)` \| [\d, ]*\| .{10,} \|$", document("docs/errors.md"), re.MULTILINE
    )
    assert sorted(told) == sorted(ErrorCode)
