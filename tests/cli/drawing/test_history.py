from datetime import UTC, datetime
from typing import Any

from proxy.cli.drawing import history
from proxy.controlplane.admin import models
from tests.cli.drawing.test_bars import lines

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def version(number: int, **more: Any) -> dict[str, Any]:
    said = {"source": "cli", "who": "ann", "why": "", "in_force": False, **more}
    nothing = dict.fromkeys(("revision", "restored", "undone", "route"))
    return {"number": number, "parent": number - 1, "digest": "d", "at": AT, **nothing, **said}


def difference(*path: str, **values: Any) -> models.Difference:
    return models.Difference(path=list(path), **values)


def diff(*found: models.Difference) -> list[str]:
    said = {
        "from": 5,
        "to": 8,
        "differences": [each.model_dump(exclude_unset=True) for each in found],
    }
    return lines(history.diff(models.Diff.model_validate(said)), 100)


def test_versions_say_which_is_in_force_and_why_each_came_about() -> None:
    page = models.Versions(
        versions=[
            models.VersionLine(**version(8, restored=6, why="short", in_force=True)),
            models.VersionLine(**version(7, restored=5, route="support")),
            models.VersionLine(**version(6, source="file", who="file", revision=3)),
        ],
        before=6,
    )

    told = [line.split() for line in lines(history.versions(page), 100)]

    assert told[1][:2] + told[1][4:] == ["*", "8", "cli", "ann", "contents", "of", "6;", "short"]
    assert told[2][3:] == ["cli", "ann", "contents", "of", "5", "for", "'support'"]
    assert told[3][3:] == ["file", "file", "revision", "3"]
    assert told[4] == ["There", "are", "more:", "turnout", "versions", "--before", "6"]


def test_a_version_is_yaml_with_who_and_why_as_comments() -> None:
    said = version(2, why="first users", in_force=True, digest="abc")
    contents: dict[str, Any] = {"routes": {"ü": {"variants": {"base": {"upstream": "a"}}}}}
    found = models.WholeVersion(**said, contents=contents)

    told = lines(history.version(found), 100)

    assert told[0] == "# version 2, in force"
    assert told[2:] == [
        "# first users",
        "# sha256 abc",
        "routes:",
        "  ü:",
        "    variants:",
        "      base:",
        "        upstream: a",
    ]


def test_what_differs_is_new_gone_or_changed() -> None:
    assert diff(
        difference("routes", "a", "split", "base", before=90.0, after=95.0),
        difference("routes", "a", "pins", after={"alice": "ft-v2"}),
        difference("routes", "b", before={"x": None}),
        difference("default_upstream", before=None, after="vllm"),
    ) == [
        "~ routes.a.split.base: 90.0 -> 95.0",
        '+ routes.a.pins: {"alice": "ft-v2"}',
        '- routes.b: {"x": null}',
        '~ default_upstream: null -> "vllm"',
    ]


def test_no_difference_is_said_to_be_none() -> None:
    assert diff() == ["versions 5 and 8 say the same"]


def test_the_audit_log_tells_who_asked_for_what_and_what_came_of_it() -> None:
    said: dict[str, Any] = {"at": AT, "who": "ann", "origin": "127.0.0.1", "action": "split"}
    done: dict[str, Any] = {
        "target": "support",
        "why": "a try",
        "result": "done",
        "detail": "",
        "version": 8,
    }
    refused: dict[str, Any] = {
        "target": "",
        "why": "",
        "result": "refused",
        "detail": "no\x1b[2J",
        "version": None,
    }
    page = models.Audit(
        entries=[
            models.AuditLine(number=2, **said, **done),
            models.AuditLine(number=1, **said, **refused),
        ],
        before=1,
    )

    told = [" ".join(line.split()[2:]) for line in lines(history.audit(page), 120)]

    assert told[1:3] == [
        "ann 127.0.0.1 split support done 8 a try",
        "ann 127.0.0.1 split refused no\\x1b[2J",
    ]
