"""What may be asked for: exactly the members there are, each of its type, on one line."""

from typing import Any

import pytest
from pydantic import ValidationError

from proxy.controlplane.admin import models
from proxy.controlplane.admin.models.changes import SHADOW
from proxy.controlplane.admin.models.forms import MOST_WORDS, Asked

GOOD: list[tuple[type[Asked], dict[str, Any]]] = [
    (models.Why, {}),
    (models.Split, {"weights": {"base": 95, "ft-v2": 5.5}, "why": "more"}),
    (models.NewVariant, {"name": "ft-v3", "upstream": "vllm", "overrides": {"top_p": None}}),
    (models.Switch, {"route": None}),
    (models.Pinning, {"unit": "Ålice 1", "variant": "base"}),
    (models.Shadowing, {"variant": "ft-v2", "percent": 10}),
    (models.Rollback, {"route": None, "to": 3}),
]
BAD: list[tuple[type[Asked], dict[str, Any]]] = [
    (models.Why, {"why": 1}),
    (models.Why, {"why": "two\nlines"}),
    (models.Why, {"why": "\x1b[2J"}),
    (models.Why, {"why": "x" * (MOST_WORDS + 1)}),
    (models.Why, {"because": "it is another word"}),
    (models.Split, {}),
    (models.Split, {"weights": {}}),
    (models.Split, {"weights": {"base": "95"}}),
    (models.Split, {"weights": {"base": True}}),
    (models.Split, {"weights": {"base": -1}}),
    (models.Split, {"weights": {"base": float("nan")}}),
    (models.Split, {"weights": {"base": float("inf")}}),
    (models.Split, {"weights": {"ba\x00se": 1}}),
    (models.NewVariant, {"name": "", "upstream": "vllm"}),
    (models.Pinning, {"unit": "", "variant": "base"}),
    (models.Shadowing, {"variant": "ft-v2", "percent": 101}),
    (models.Shadowing, {"variant": "ft-v2", "percent": 1, "timeout_seconds": 0}),
    (models.Rollback, {}),
    (models.Rollback, {"route": "support", "to": 0}),
    (models.Rollback, {"route": "support", "to": 2**70}),
]


@pytest.mark.parametrize(("model", "body"), GOOD)
def test_what_fits_is_taken(model: type[Asked], body: dict[str, Any]) -> None:
    assert model.model_validate(body).model_dump(exclude_unset=True) == body


@pytest.mark.parametrize(("model", "body"), BAD)
def test_what_does_not_fit_is_not(model: type[Asked], body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(body)


def test_a_shadow_has_the_budgets_of_the_file_where_none_are_given() -> None:
    asked = models.Shadowing(variant="ft-v2", percent=1)
    assert (asked.timeout_seconds, asked.concurrency) == (SHADOW.timeout, SHADOW.concurrency)


@pytest.mark.parametrize("name", models.__all__)
def test_every_member_is_described(name: str) -> None:
    members = getattr(models, name).model_fields
    assert [each for each, field in members.items() if not field.description] == []
