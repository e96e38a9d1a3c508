"""The file described as a JSON Schema: for its documentation, its errors, and for editors."""

from functools import cache
from typing import Any

from proxy.config.schema.file import File

REFERENCE = r"\$\{"
SAID = ("default", "description", "title")


@cache
def described() -> dict[str, Any]:
    """Return the JSON Schema as pydantic has it; not to be changed."""
    return File.model_json_schema()


def target(node: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """Return the node of a JSON Schema that `node` refers to, or `node` itself."""
    node = next((part for part in node.get("anyOf", ()) if "$ref" in part), node)
    if "$ref" not in node:
        return node
    found: dict[str, Any] = whole["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return found


def inside(node: dict[str, Any]) -> dict[str, Any] | None:
    """Return the schema of what stands in a list, or by name in a mapping; None: it is neither."""
    by_pattern = next(iter(node.get("patternProperties", {}).values()), None)
    found = by_pattern or node.get("additionalProperties") or node.get("items")
    return found if isinstance(found, dict) else None


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the file, for editors: any value may be a `${NAME}` reference."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_for_editors(described()),
    }


def _for_editors(node: Any) -> Any:
    if isinstance(node, list):
        return [_for_editors(item) for item in node if item != {"type": "null"}]
    if not isinstance(node, dict):
        return node
    if node.get("type") in ("integer", "number", "boolean") or isinstance(node.get("enum"), list):
        kind = {key: value for key, value in node.items() if key not in SAID}
        node = {key: value for key, value in node.items() if key in SAID}
        pattern = f"^(yes|no|on|off)$|{REFERENCE}" if kind.get("type") == "boolean" else REFERENCE
        return _for_editors(node) | {"anyOf": [kind, {"type": "string", "pattern": pattern}]}
    kept = {key: value for key, value in node.items() if (key, value) != ("default", None)}
    if isinstance(kept.get("pattern"), str):
        kept["pattern"] += f"|{REFERENCE}"
    if isinstance(kept.get("description"), str):
        kept["description"] = " ".join(kept["description"].split())
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    return {key: _for_editors(value) for key, value in kept.items()}
