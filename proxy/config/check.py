"""Check: every problem of a file at once, or the file as the schema's model.

Form (source), values (schema) and how they fit together (fit) are all looked at, so that one
wrong key does not hide the next. It knows no rule of its own but that nothing may be left empty.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct
from pydantic import ValidationError

from proxy.config.fit import (
    fit_callers,
    fit_formats,
    fit_machine,
    fit_routing,
    fit_telling,
    fit_watching,
    follow_schemas,
)
from proxy.config.schema import File
from proxy.config.source import Document, KeyPath, Problem, Unresolved, load, read_secret
from proxy.config.wording import worded

FREE = ("overrides", "defaults", "json_schema")  # below these, null is a value like others


class Checked(Struct, frozen=True, kw_only=True):
    """What came of a check: problems in the file's order, or the file; never both."""

    problems: tuple[Problem, ...]
    file: File | None


def check(file: str, environ: Mapping[str, str], content: bytes | None = None) -> Checked:
    """Return every problem of `file`, or what it says; ConfigError: it can't be read.

    `content` is looked at instead of what stands in the file now.
    """
    document = load(file, environ, content)
    model = None
    if isinstance(document.value, dict):
        _no_nulls(document)
        _follow_files(document)
        follow_schemas(document)
        model = validated(document)
        fit_machine(document)
        fit_routing(document)
        fit_formats(document)
        fit_callers(document)
        fit_telling(document)
        fit_watching(document)
    elif not document.problems:
        document.report((), "is no mapping of settings", "write 'name: value' lines")
    found = sorted(document.problems, key=lambda each: (each.line, each.column))
    return Checked(problems=tuple(found), file=None if found else model)


def validated(document: Document) -> File | None:
    """Return the schema's model of what `document` says; None: what is wrong is reported."""
    try:
        return File.model_validate(document.value)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False):
            path = tuple(part for part in each["loc"] if part != "[key]")
            if path not in document.broken:
                reason, remedy = worded(each["type"], path, each.get("ctx", {}))
                document.report(path, reason, remedy)
    return None


def _no_nulls(document: Document) -> None:
    for path, value in _walk(document.value, ()):
        if value is None and path not in document.broken and not set(FREE) & set(path):
            document.broken.add(path)
            document.report(path, "has no value", "write one, or remove the line")


def _walk(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in inner:
        yield (*path, key), item
        yield from _walk(item, (*path, key))


def _follow_files(document: Document) -> None:
    """Put the text of a file in the place of each secret that says file:PATH."""
    for path, value in list(_walk(document.value, ())):
        if isinstance(value, str) and _is_secret(path):
            try:
                _set(document.value, path, read_secret(value, document.folder))
            except Unresolved as unresolved:
                document.broken.add(path)
                document.report(path, unresolved.reason, unresolved.remedy)


def _is_secret(path: KeyPath) -> bool:
    match path:
        case ("upstreams", _, "api_key") | ("upstreams", _, "headers", _) | ("store", "url"):
            return True
        case ("tracing", "headers", _):
            return True
        case ("alerts", "notify", _, "url" | "secret" | "user" | "password"):
            return True
        case ("alerts", "notify", _, "headers", _):
            return True
        case _:
            return False


def _set(value: object, path: KeyPath, new: str) -> None:
    for part in path[:-1]:
        value = value[part]  # type: ignore[index]  # the path was just walked
    value[path[-1]] = new  # type: ignore[index]  # same
