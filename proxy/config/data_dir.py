"""The data directory: where it is, read off a good or a bad file.

Whoever has just spoilt the file must still find what turnout keeps: its token, its address, the
last good file.
"""

import re
from collections.abc import Mapping

from proxy.config.settings import DATA_DIR
from proxy.config.source.load import Document, load, read_content
from proxy.errors import ConfigError

LINE = re.compile(rb"^data_dir[ \t]*:.*", re.MULTILINE)


def data_dir(file: str, environ: Mapping[str, str]) -> str:
    """Return the data directory that `file` means, the default one where it can't be read."""
    try:
        return of(load(file, environ), environ)
    except ConfigError:
        return str(Document(file).folder / DATA_DIR)


def of(document: Document, environ: Mapping[str, str]) -> str:
    """Return the data directory that a file's `document` means; ConfigError: it is gone now.

    Where the file is no YAML, the line that says `data_dir` may be good still.
    """
    value = document.value
    if value is None:
        line = LINE.search(read_content(document.file))
        value = load(document.file, environ, line[0]).value if line is not None else None
    said = value.get("data_dir") if isinstance(value, dict) else None
    return str(document.folder / (said if isinstance(said, str) and said else DATA_DIR))
