"""The reference of all settings in docs/configuration.md, written from the schema.

`python -m proxy.config.reference docs/configuration.md` renews what stands below the page's mark;
a test compares them. It knows no setting by name.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from proxy.config.schema import described, inside, target

KINDS = {
    "string": "text",
    "boolean": "`true` or `false`",
    "integer": "whole number",
    "number": "number",
    "object": "mapping",
}
WIDE = 86_400  # a bound from here on keeps nonsense out and is not worth a word
MARK = "## Every setting\n"
INTRODUCTION = """
Written from the schema (`python -m proxy.config.reference docs/configuration.md`); a test keeps
it true. NAME stands for a name of your choice.
"""


def renewed(page: str) -> str:
    """Return `page` with what stands below its mark as the schema has it."""
    before, mark, _ = page.partition(MARK)
    return before + mark + INTRODUCTION + "".join(sections())


def sections() -> list[str]:
    """Return one section for each mapping of settings, in the order of the file.

    What may stand at several places has its section at the shortest; others refer to it.
    """
    whole = described()
    places = list(_places("", whole, whole))
    homes: dict[int, str] = {}
    for path, part in sorted(places, key=lambda each: each[0].count(".")):
        homes.setdefault(id(part), path)
    found = []
    for path, part in places:
        if homes[id(part)] == path:
            title = f"`{path}`" if path else "The file"
            rows = _table(path, part, whole, homes)
            found.append(f"\n### {title}\n\n{_sentence(part)}\n\n{rows}")
    return found


def _places(
    path: str, part: dict[str, Any], whole: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each mapping of settings with its place, a part before what is in it."""
    yield path, part
    for name, said in part["properties"].items():
        here, held = _inner(path, name, said, whole)
        if "properties" in held:
            yield from _places(here, held, whole)


def _inner(
    path: str, name: str, said: dict[str, Any], whole: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Return where what is in a setting stands, and its schema."""
    here = f"{path}.{name}" if path else name
    if inside(said):
        return f"{here}.NAME", target(inside(said) or {}, whole)
    return here, target(said, whole)


def _table(path: str, part: dict[str, Any], whole: dict[str, Any], homes: dict[int, str]) -> str:
    lines = ["| setting | value | default | |", "|---|---|---|---|"]
    for name, said in part["properties"].items():
        default = "**required**" if name in part.get("required", ()) else _default(name, said)
        sentence = _sentence(said) or _sentence(target(said, whole))
        here, held = _inner(path, name, said, whole)
        home = homes.get(id(held), here)
        if home != here:
            sentence += f" See [`{home}`](#{_anchor(home)})."
        lines.append(f"| `{name}` | {_kind(said, whole)} | {default} | {sentence} |")
    return "\n".join(lines) + "\n"


def _anchor(path: str) -> str:
    """Return how a link names the heading of a section, as GitHub has it."""
    return path.lower().replace(".", "")


def _kind(said: dict[str, Any], whole: dict[str, Any]) -> str:
    """Return what may be written, in a few words."""
    held = inside(said)
    if "anyOf" in said:
        parts = [_kind(part, whole) for part in said["anyOf"] if part != {"type": "null"}]
        kind = " or ".join(dict.fromkeys(parts))
    elif "$ref" in said or "properties" in said:
        meant = target(said, whole)
        kind = "settings" if "properties" in meant else _kind(meant, whole)
    elif "enum" in said or "const" in said:
        words = said.get("enum", [said.get("const")])
        kind = ", ".join(f"`{word}`" for word in words if word is not False)
    elif held is not None:
        kind = "list of " if said["type"] == "array" else "NAME: "
        kind += _kind(held, whole)
    else:
        kind = KINDS.get(said.get("type", ""), "anything") + _range(said)
    return kind + _example(said)


def _example(said: dict[str, Any]) -> str:
    return f", like `{said['examples'][0]}`" if "examples" in said else ""


def _range(said: dict[str, Any]) -> str:
    bounds = (
        ("more than", said.get("exclusiveMinimum")),
        ("at least", said.get("minimum")),
        ("at most", said.get("maximum")),
    )
    told = ", ".join(
        f"{word} {bound:,.15g}" for word, bound in bounds if bound is not None and bound < WIDE
    )
    return f", {told}" if told else ""


def _default(name: str, said: dict[str, Any]) -> str:
    value = said.get("default")
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if name.endswith("_bytes") and isinstance(value, int):
        return f"`{_size(value)}`"
    if isinstance(value, int | float):
        return f"`{value:.15g}`"
    return f"`{value}`" if isinstance(value, str) else ""


def _size(count: int) -> str:
    for unit in ("", "KiB", "MiB"):
        if count % 1024:
            return f"{count}{unit}"
        count //= 1024
    return f"{count}GiB"


def _sentence(said: dict[str, Any]) -> str:
    return " ".join(said.get("description", "").split()).replace("|", "\\|")


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(renewed(file.read_text(encoding="utf-8")), encoding="utf-8")
