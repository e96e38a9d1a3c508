"""docs/admin-api.md says what there is: every operation, and examples that fit the models."""

import re

import pytest
from pydantic import BaseModel

from proxy.controlplane.admin import models
from proxy.controlplane.admin.entrance.body import MOST_BYTES
from proxy.controlplane.admin.entrance.server import REQUEST_SECONDS
from proxy.controlplane.admin.lately import SECONDS
from tests.frame.source import document
from tests.support.administered import administered

PAGE = document("docs/admin-api.md")
EXAMPLES = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
MODELS: list[type[BaseModel]] = [
    models.RouteState,
    models.Diff,
    models.Published,
    models.Rollback,
    models.Reloaded,
    models.Outdated,
    models.Refused,
    models.AuditLine,
]


async def test_every_operation_is_in_the_document_and_no_other() -> None:
    async with administered() as admin:
        there_is = set((await admin.client.get("/")).json()["there is"])
    said = set(re.findall(r"`((?:GET|POST|PUT|DELETE) /[^`?]*)(?:\?[^`]*)?`", PAGE))
    said.add("POST /api/v1/variants/VARIANT/on")  # "off, .../on"
    said |= {f"GET {path}" for path in ("/", "/docs", "/openapi.json", "/healthz", "/metrics")}
    words = {"ROUTE": "{route}", "VARIANT": "{variant}", "/N/diff/M": "/{earlier}/diff/{later}"}
    words["/versions/N"] = "/versions/{number}"
    words["REQUEST_ID"] = "{request_id}"
    words["/silences/NUMBER"] = "/silences/{silence}"
    shown = set()
    for each in said:
        for word, part in words.items():
            each = each.replace(word, part)  # noqa: PLW2901  # one after the other
        shown.add(each)
    assert shown == there_is


@pytest.mark.parametrize(("model", "example"), list(zip(MODELS, EXAMPLES, strict=True)))
def test_an_example_is_a_whole_one(model: type[BaseModel], example: str) -> None:
    found = model.model_validate_json(example)
    assert found.model_fields_set == set(model.model_fields)


def test_the_figures_are_those_of_the_code() -> None:
    assert f"within {REQUEST_SECONDS:.0f} seconds" in PAGE.replace("\n", " ")
    assert f"at most {MOST_BYTES // 1024} KiB" in PAGE.replace("\n", " ")
    assert f"last {SECONDS / 60:.0f} minutes" in PAGE
