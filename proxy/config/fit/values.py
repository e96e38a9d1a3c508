"""Values: what stands at a path, and what is asked of names wherever they stand.

It knows no setting by name.
"""

from collections.abc import Iterable

from pydantic import TypeAdapter, ValidationError

from proxy.config.source import Document, KeyPath, shown
from proxy.config.wording import suggest

TRUTH = TypeAdapter(bool)


class Values:
    """The values of a document, and where their problems are reported."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.report = document.report
        self.folder = document.folder

    def at(self, *path: str | int) -> object:
        """Return the value at `path`; None: there is none."""
        value: object = self._document.value
        for part in path:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int):
                value = value[part]
            else:
                return None
        return value

    def sound(self, *path: str) -> str | None:
        """Return the text at `path`; None: there is none, or what is wrong with it is told."""
        value = self.at(*path)
        return value if isinstance(value, str) and path not in self._document.broken else None

    def names(self, *path: str) -> list[str]:
        """Return the keys of the mapping at `path`."""
        value = self.at(*path)
        return list(value) if isinstance(value, dict) else []

    def mapping(self, *path: str) -> dict[str, object]:
        """Return the mapping at `path`, itself; an empty one where there is none."""
        value = self.at(*path)
        return value if isinstance(value, dict) else {}

    def number(self, *path: str, default: float) -> float | None:
        """Return the number at `path`; None: what stands there is none."""
        value = self.at(*path)
        if value is None:
            return default
        try:
            return float(value) if isinstance(value, int | float | str) else None
        except (ValueError, OverflowError):
            return None

    def true(self, *path: str) -> bool:
        """Return whether what stands at `path` means yes."""
        try:
            return TRUTH.validate_python(self.at(*path))
        except ValidationError:
            return False

    def known(self, path: KeyPath, known: Iterable[str], what: str) -> None:
        """Report the name at `path` where it is none of `known`."""
        name = self.at(*path)
        if not isinstance(name, str) or name in known or path in self._document.broken:
            return
        told = (
            "what the reference gives" if path in self._document.referred else f"'{shown(name)}'"
        )
        self.report(path, f"names {told}, which is no {what}", suggest(name, known))

    def all_known(self, path: tuple[str, ...], known: Iterable[str], what: str) -> None:
        """Report each name in the list at `path` that is none of `known`, or there twice."""
        names = self.at(*path)
        if not isinstance(names, list):
            return
        for index, name in enumerate(names):
            self.known((*path, index), known, what)
            if name in names[:index]:
                self.report((*path, index), "is there twice", "keep one of the two")

    def each_its_own(self, section: tuple[str, ...], setting: str, what: str) -> None:
        """Report a `setting` of a mapping of `section` that an earlier one has too."""
        first: dict[str, str] = {}
        for name in self.names(*section):
            value = self.sound(*section, name, setting)
            other = name if value is None else first.setdefault(value.lower(), name)
            if other != name:
                self.report(
                    (*section, name, setting),
                    f"is the {what} of '{shown(other)}' too",
                    f"give each its own {what}",
                )
