"""Package, tag and change log agree on the version, or there is no release."""

import pytest

from release.version import disagreement

CHANGELOG = "## [Unreleased]\n\n## [1.2.0] - 2026-11-22\n\n- Something.\n"


def test_without_a_tag_nothing_is_promised() -> None:
    assert disagreement("1.2.0", "", "") is None


def test_a_tag_that_fits_version_and_change_log_is_a_release() -> None:
    assert disagreement("1.2.0", "v1.2.0", CHANGELOG) is None


@pytest.mark.parametrize(
    ("version", "tag", "changelog", "problem"),
    [
        ("1.2.0", "v1.3.0", CHANGELOG, "makes it v1.2.0"),
        ("1.2.0", "1.2.0", CHANGELOG, "makes it v1.2.0"),
        ("1.3.0", "v1.3.0", CHANGELOG, "no section"),
        ("1.2.0", "v1.2.0", CHANGELOG.replace(" - 2026-11-22", ""), "no section"),
        ("1.2.0", "v1.2.0", CHANGELOG.replace("]\n\n##", "]\n\n- New.\n\n##"), "Unreleased"),
    ],
)
def test_what_contradicts_the_version_is_said(
    version: str, tag: str, changelog: str, problem: str
) -> None:
    assert problem in (disagreement(version, tag, changelog) or "")
