"""The page for people: the OpenAPI document as plain HTML, without scripts, loading nothing."""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html import escape
from typing import Any

from proxy.controlplane.admin.entrance.door import ROLE
from proxy.controlplane.admin.entrance.gate import POLICY

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:2.5rem;font:600 1.1rem ui-monospace,monospace}
h2 small{font-weight:400;opacity:.7}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;border-top:1px solid #8884;padding:.3rem .6rem .3rem 0}
code,th{font-family:ui-monospace,monospace;font-weight:400}
:root{color-scheme:light dark}
"""
STYLE_DIGEST = b64encode(sha256(STYLE.encode()).digest()).decode()
PAGE_POLICY = f"{POLICY}; style-src 'sha256-{STYLE_DIGEST}'"
INTRODUCTION = (
    "Everything but what is open takes a token: <code>Authorization: Bearer TOKEN</code>. Bodies"
    " are JSON. A change may carry <code>If-Match</code> with the version it was made against."
    ' The same as a document for programs: <a href="/openapi.json">/openapi.json</a>.'
)


def page(document: dict[str, Any]) -> str:
    """Return the HTML page of an OpenAPI document."""
    title = escape(f"{document['info']['title']} {document['info']['version']}")
    body = "".join(_operations(document))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><h1>{title}: administration</h1>"
        f"<p>{INTRODUCTION}</p>{body}</body></html>\n"
    )


def _operations(document: dict[str, Any]) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield (
                f'<h2 id="{escape(operation["operationId"])}">{method.upper()} {escape(path)}'
                f" <small>({escape(operation[ROLE])})</small></h2>"
                f"<p>{escape(operation['description'])}</p>"
            )
            yield _table("Parameters", _parameters(operation))
            yield _table("Body", _members(document, operation.get("requestBody", {})))
            yield _table("Answer", _members(document, operation["responses"].get("200", {})))


def _parameters(operation: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for each in operation.get("parameters", ()):
        place = f"{each['in']}, required" if each.get("required") else each["in"]
        yield each["name"], place, each.get("description", "")


def _members(document: dict[str, Any], part: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    schema = part.get("content", {}).get("application/json", {}).get("schema", {})
    found = _target(document, schema)
    for name, each in found.get("properties", {}).items():
        kind = _kind(each) + (", required" if name in found.get("required", ()) else "")
        yield name, kind, each.get("description", "")


def _target(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema that this one refers to, or itself."""
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return found


def _kind(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    kind = str(schema.get("type", "any"))
    return f"{kind} of {_kind(schema['items'])}" if "items" in schema else kind


def _table(title: str, rows: Iterator[tuple[str, str, str]]) -> str:
    lines = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(kind)}</td><td>{escape(text)}</td></tr>"
        for name, kind, text in rows
    )
    return f"<h3>{title}</h3><table>{lines}</table>" if lines else ""
