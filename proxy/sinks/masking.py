"""Masking a body: no escape, no nesting and no second spelling hides what a pattern matches.

A whole body is JSON: every text in it is masked as it reads, escapes undone, names of members and
numbers too; a text that is JSON itself, as a tool's arguments are, is masked inside. What was cut
off is JSON no more, and is masked as one text with its escapes undone. It knows no pattern.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from proxy.dialects.gathered.growing import SPELT, Grown

On = Callable[[str], str]  # returns a text masked

ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
MEANT: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
PASSES: Final = 4  # JSON in JSON in JSON
SPELT_OUT: Final = re.compile(rf'"(?:{"|".join(sorted(SPELT))})"\s*:\s*[\[{{]')


def masked(value: Any, on: On, edge: int = 0) -> Any:
    """Return a JSON value with each text in it masked, and nothing spelt token by token.

    The last `edge` characters of texts that a stream was still making are left out, for a secret
    may have begun there.
    """
    match value:
        case Grown() if edge:
            return masked_text(value, on)[:-edge]
        case str():
            return masked_text(value, on)
        case dict():
            return {
                on(name): masked(item, on, edge)
                for name, item in value.items()
                if said(name, item)
            }
        case list():
            return [masked(item, on, edge) for item in value]
        case bool() | None:
            return value
        case _:
            digits = str(value)
            shown = on(digits)
            return value if shown == digits else shown


def said(name: str, item: Any) -> bool:
    """Return whether a member is not just the words once more, token by token."""
    return name not in SPELT or not isinstance(item, dict | list)


def masked_text(text: str, on: On) -> str:
    """Return a text masked, also inside where it is JSON itself, or the beginning of some."""
    if text.lstrip()[:1] in ("{", "[", '"'):
        try:
            inner = json.loads(text)
        except (ValueError, RecursionError):
            meant = undone(text)
            text = text if on(meant) == meant else meant
        else:
            shown = masked(inner, on)
            # Of a member that is there twice only the last was seen: escapes may hide the first.
            unseen = "\\" in text
            text = written(shown) if unseen or shown != inner else text
    return on(text)


def masked_part(text: str, on: On) -> str:
    """Return the beginning of some JSON masked, with its escapes undone.

    It ends where words begin to be spelt token by token.
    """
    found = SPELT_OUT.search(text)
    return on(undone(text if found is None else text[: found.start()]))


def undone(text: str) -> str:
    """Return a text with its escapes undone, those within it too."""
    for _ in range(PASSES):
        plain = ESCAPE.sub(meaning, text)
        if plain == text:
            break
        text = plain
    return joined(text)


def meaning(found: re.Match[str]) -> str:
    """Return what an escape stands for."""
    number, letter = found.groups()
    return chr(int(number, 16)) if number else MEANT.get(letter, letter)


def joined(text: str) -> str:
    """Return a text in which halves of a character are joined; one alone becomes a mark."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def written(value: Any) -> str:
    """Return a value as JSON, with no more escapes than it must have."""
    return joined(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
