"""Formats: the JSON Schemas that replies are to be held against, and the files that hold them."""

import json
from collections.abc import Iterator
from typing import Any

from proxy.config.fit.values import Values
from proxy.config.source import Document
from proxy.config.source.files import read_file

LARGEST = 1024 * 1024  # bytes of a schema's file


def follow_schemas(document: Document) -> None:
    """Put the JSON of a file in the place of each schema that is the path of one."""
    values = Values(document)
    for name in values.names("routes"):
        here = ("routes", name, "format", "json_schema")
        said = values.sound(*here)
        if said is None or not said.strip():
            continue
        try:
            schema = json.loads(read_file(document.folder / said, LARGEST))
        except OSError as error:
            document.broken.add(here)
            reason = (error.strerror or "it can't be read").lower()
            values.report(
                here, f"names a file that can't be read: {reason}", "name a file with a schema"
            )
        except (ValueError, RecursionError):
            document.broken.add(here)
            values.report(here, "names a file that is no JSON", "write the schema as JSON")
        else:
            values.mapping(*here[:-1])["json_schema"] = schema


def fit_formats(document: Document) -> None:
    """Report schemas that are none, or refer to what is not in them."""
    values = Values(document)
    for name in values.names("routes"):
        here = ("routes", name, "format", "json_schema")
        schema = values.at(*here)
        if values.at(*here[:-1]) == {}:
            values.report(here[:-1], "asks for nothing", "write json, or name what is to hold")
        if not isinstance(schema, dict) or here in document.broken:
            continue
        if not _is_schema(schema):
            values.report(here, "is no JSON Schema", "see json-schema.org for what one may say")
        elif any(not reference.startswith("#") for reference in _references(schema)):
            values.report(
                here,
                "refers to another document, which nobody fetches",
                "put what it refers to below '$defs', and refer to '#/$defs/NAME'",
            )


def _is_schema(schema: dict[str, Any]) -> bool:
    # Here, because few files have a schema, and every start would wait for it.
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415

    try:
        validators.validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except (SchemaError, RecursionError):
        return False
    return True


def _references(schema: object) -> Iterator[str]:
    inner = schema.values() if isinstance(schema, dict) else schema
    if isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
        yield schema["$ref"]
    if isinstance(schema, dict | list):
        for each in inner:  # type: ignore[attr-defined]  # one of the two
            yield from _references(each)
