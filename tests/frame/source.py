"""What the tests of this folder read: the repository's own files, as text and as syntax trees."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "proxy"
TESTS = ROOT / "tests"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file of the repository."""

    path: Path

    @property
    def name(self) -> str:
        """Its dotted name; a package's is that of its folder."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    @property
    def imports(self) -> Iterator[tuple[str, str | None]]:
        """Pairs of a module's name and, for `from a import b`, b."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, None) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from ((node.module, alias.name) for alias in node.names)


def modules(folder: Path = PACKAGE) -> list[Module]:
    """Return the Python files below `folder`, in order."""
    return [Module(path) for path in sorted(folder.rglob("*.py"))]


def rooms() -> list[Path]:
    """Return the folders of proxy/ that are rooms, closets within rooms included."""
    return sorted(path.parent for path in PACKAGE.rglob("*/__init__.py"))


def document(name: str) -> str:
    """Return the text of one of the repository's documents."""
    return (ROOT / name).read_text(encoding="utf-8")
