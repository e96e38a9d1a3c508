"""The file as it stands: YAML with the place of each value, and the references inside it."""

from proxy.config.source.load import Document, KeyPath, Problem, load, read_content, shown
from proxy.config.source.references import Unresolved, read_secret

__all__ = [
    "Document",
    "KeyPath",
    "Problem",
    "Unresolved",
    "load",
    "read_content",
    "read_secret",
    "shown",
]
