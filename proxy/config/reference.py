"""The reference of all settings in docs/configuration.md, written from the schema.

`python -m proxy.config.reference docs/configuration.md` renews what stands below the page's mark;
a test compares them. It knows no setting by name.
"""

import sys
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
    """Return one section for each mapping of settings, in the order of the file."""
    whole = described()
    found: list[str] = []
    waiting = [("", whole)]
    while waiting:
        path, part = waiting.pop(0)
        rows, inner = _table(path, part, whole)
        title = f"`{path}`" if path else "The file"
        found.append(f"\n### {title}\n\n{_sentence(part)}\n\n{rows}")
        waiting = inner + waiting
    return found


def _table(
    path: str, part: dict[str, Any], whole: dict[str, Any]
) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
    lines = ["| setting | value | default | |", "|---|---|---|---|"]
    inner = []
    for name, said in part["properties"].items():
        default = "**required**" if name in part.get("required", ()) else _default(name, said)
        sentence = _sentence(said) or _sentence(target(said, whole))
        lines.append(f"| `{name}` | {_kind(said, whole)} | {default} | {sentence} |")
        held = target(said, whole)
        here = f"{path}.{name}" if path else name
        if inside(said):
            here += ".NAME"
            held = target(inside(said) or {}, whole)
        if "properties" in held:
            inner.append((here, held))
    return "\n".join(lines) + "\n", inner


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
