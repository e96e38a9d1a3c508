"""Load: a YAML file becomes plain values that remember where they stood.

YAML is read strictly: one document, no duplicate keys, no anchors or aliases (so no bombs), no
tags, bounded depth; words follow YAML 1.2, so `no`, `on` and `12:30` are text. It knows nothing
of what the keys mean; references are followed here.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import yaml
from msgspec import Struct
from yaml.events import (
    AliasEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from proxy.config.source.files import read_file
from proxy.config.source.references import References, Unresolved, mask
from proxy.errors import ConfigError

LARGEST_FILE = 1_000_000  # bytes
DEEPEST = 40  # mappings and lists inside one another
LONGEST_SHOWN = 128  # characters of a name, in a problem
KeyPath = tuple[str | int, ...]

# What YAML does not allow, and the private use that references need.
_ODD = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\uf900-\ufffd\U00010000-\U0010ffff]")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where it was built in
_NULL = re.compile(r"~|null|Null|NULL|")
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"([-+]?)\.(inf|nan)", re.IGNORECASE)
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_LONGEST_INT = 300  # digits: beyond any setting, and below Python's own limit
_PLAIN_PART = re.compile(r"[A-Za-z0-9_-]{1,128}")


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a file, where, and what to do; never holds a secret."""

    file: str
    line: int  # from 1
    column: int  # from 1, in characters
    path: str
    reason: str
    remedy: str

    @property
    def subject(self) -> str:
        """What is wrong: the setting's path, or the file as a whole."""
        return self.path or "the file"

    def __str__(self) -> str:
        """Return the problem as one line, for a log."""
        place = f"{self.file}:{self.line}:{self.column}"
        return f"{place}: {self.subject} {self.reason}; {self.remedy}"


class Position(NamedTuple):
    """A place in a file, counted from 1."""

    line: int
    column: int


class Document:
    """What a file says. `broken` are the paths whose value can't be trusted: already reported."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.folder = Path(file).parent
        self.value: object = None
        self.problems: list[Problem] = []
        self.broken: set[KeyPath] = set()
        self.referred: set[KeyPath] = set()  # values that came from elsewhere: never shown
        self.places: dict[KeyPath, Position] = {}  # of the key, or of a list's item

    def report(self, path: KeyPath, reason: str, remedy: str, at: Position | None = None) -> None:
        """Add a problem with the value at `path`; found at its key, or its nearest parent's."""
        at = at or self._place(path)
        self.problems.append(
            Problem(
                file=self.file,
                line=at.line,
                column=at.column,
                path=dotted(path),
                reason=reason,
                remedy=remedy,
            )
        )

    def _place(self, path: KeyPath) -> Position:
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Position(1, 1))


def dotted(path: KeyPath) -> str:
    """Return a path as people write it: routes.support.fallback[0], routes."gpt-4.1".split."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            plain = _PLAIN_PART.fullmatch(part) is not None
            text += f".{part}" if plain else f'."{shown(part)}"'
    return text.removeprefix(".")


def shown(name: str) -> str:
    """Return a name from a file as a terminal can take it: printable, and not too long."""
    cut = name if len(name) <= LONGEST_SHOWN else name[:LONGEST_SHOWN] + "..."
    return cut if cut.isprintable() else ascii(cut)[1:-1]


def load(file: str, environ: Mapping[str, str], content: bytes | None = None) -> Document:
    """Return what `file` says, with every problem of its form; ConfigError: it can't be read.

    `content` is looked at instead of what stands in the file now.
    """
    document = Document(file)
    content = read_content(file) if content is None else content
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig")
        document.report((), "is not UTF-8 text", "save the file as UTF-8", _end_of(before))
        return document
    odd = _ODD.search(text)
    if odd is not None:
        document.report(
            (),
            f"has the character U+{ord(odd[0]):04X}, which no setting needs",
            "remove it",
            _end_of(text[: odd.start()]),
        )
        return document
    _Reader(document, mask(text), environ).read()
    return document


def read_content(file: str) -> bytes:
    """Return what stands in `file`; ConfigError: it can't be read."""
    try:
        content = read_file(file, LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(f"{file}: can't be read: {error.strerror}", unreadable=True) from None
    if len(content) > LARGEST_FILE:
        raise ConfigError(
            f"{file}: can't be read: it is larger than {LARGEST_FILE:,} bytes", unreadable=True
        )
    return content


def _end_of(text: str) -> Position:
    return Position(text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1)


class _TooDeep(yaml.YAMLError):
    def __init__(self, event: Event) -> None:
        super().__init__()
        self.problem = f"more than {DEEPEST} levels inside one another"
        self.problem_mark = event.start_mark


class _Reader:
    """Builds a document's values from YAML's events."""

    def __init__(
        self, document: Document, references: References, environ: Mapping[str, str]
    ) -> None:
        self._document = document
        self._references = references
        self._environ = environ
        self._events: Iterator[Event] = iter(())

    def read(self) -> None:
        try:
            self._events = self._checked_events()
            first = next(self._events, None)
            if first is None:
                self._document.report((), "is empty", "see docs/configuration.md for a first file")
                return
            self._document.value = self._node(first, ())
            second = next(self._events, None)
        except yaml.YAMLError as error:
            self._syntax(error)
            return
        if second is not None:
            self._complain(second, (), "has more than one document", "keep one; remove the '---'")

    def _checked_events(self) -> Iterator[Event]:
        depth = 0
        for event in yaml.parse(self._references.text, Loader=_LOADER):
            if isinstance(event, MappingStartEvent | SequenceStartEvent):
                depth += 1
            elif isinstance(event, MappingEndEvent | SequenceEndEvent):
                depth -= 1
            if depth > DEEPEST:
                raise _TooDeep(event)
            if isinstance(event, NodeEvent | MappingEndEvent | SequenceEndEvent):
                yield event

    def _node(self, event: Event, path: KeyPath) -> object:
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
            self._complain(
                event, path, "uses an anchor or alias (& or *)", "write the value out in full"
            )
        elif getattr(event, "tag", None) is not None:
            self._complain(event, path, "uses a YAML tag (!)", "write the plain value")
        if isinstance(event, MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(path)
        return self._scalar(event, path) if isinstance(event, ScalarEvent) else None

    def _mapping(self, path: KeyPath) -> dict[str, object]:
        mapping: dict[str, object] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._key(event, path)
            if key is None:
                self._node(next(self._events), (*path, "?"))
                continue
            here = (*path, key)
            if key in mapping:
                first = self._document.places[here].line
                self._complain(
                    event, here, f"is there twice, first on line {first}", "keep one of the two"
                )
            self._document.places[here] = _position(event)
            mapping[key] = self._node(next(self._events), here)
        return mapping

    def _key(self, event: Event, path: KeyPath) -> str | None:
        if isinstance(event, ScalarEvent):
            return self._references.restore(event.value)
        self._complain(event, path, "has a key that is no plain word", "write it as 'key: value'")
        self._node(event, (*path, "?"))
        return None

    def _sequence(self, path: KeyPath) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            here = (*path, len(items))
            self._document.places[here] = _position(event)
            items.append(self._node(event, here))
        return items

    def _scalar(self, event: ScalarEvent, path: KeyPath) -> object:
        try:
            text = self._references.resolve(event.value, self._environ)
        except Unresolved as unresolved:
            self._complain(event, path, unresolved.reason, unresolved.remedy)
            return ""
        if text != event.value:
            self._document.referred.add(path)
            return text  # what comes from elsewhere is text; a number's field reads it as one
        return _plain(text) if event.implicit[0] else text

    def _complain(self, event: Event, path: KeyPath, reason: str, remedy: str) -> None:
        self._document.broken.add(path)
        self._document.report(path, reason, remedy, _position(event))

    def _syntax(self, error: yaml.YAMLError) -> None:
        # Only the parser's own words: its snippet of the file could show a secret.
        what = getattr(error, "problem", None) or "it can't be read on"
        mark = getattr(error, "problem_mark", None)
        at = Position(mark.line + 1, mark.column + 1) if mark is not None else Position(1, 1)
        at = min(at, _end_of(self._references.text))
        self._document.value = None
        self._document.report(
            (),
            f"is not valid YAML: {self._references.restore(what)}",
            "check indentation (spaces, no tabs), colons, quotes and brackets here and just above",
            at,
        )


def _position(event: Event) -> Position:
    mark = event.start_mark
    return Position(mark.line + 1, mark.column + 1) if mark is not None else Position(1, 1)


def _plain(text: str) -> object:
    """Return the value of an unquoted scalar, by the core schema of YAML 1.2."""
    if text in _BOOL:
        return _BOOL[text]
    if _NULL.fullmatch(text):
        return None
    if _INT.fullmatch(text) and len(text) <= _LONGEST_INT:
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    special = _NOT_FINITE.fullmatch(text)
    return float(special[1] + special[2]) if special is not None else text
