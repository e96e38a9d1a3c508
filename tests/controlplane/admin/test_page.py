"""What describes the interface, to programs and to people, without anything from elsewhere."""

import re
from base64 import b64encode
from hashlib import sha256

from proxy.controlplane.admin.page import page
from tests.support.administered import administered

NO_VERSIONS = ("bodies", "forget", "add_silence", "end_silence", "notify")  # they change none


async def test_the_document_says_of_every_operation_what_it_takes_and_who_may_use_it() -> None:
    async with administered() as admin:
        document = (await admin.client.get("/openapi.json")).json()
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert len({each["operationId"] for each in operations}) == len(operations)
    for each in operations:
        assert each["description"]
        assert each["security"] == ([] if each["x-role"] == "open" else [{"token": []}])
        assert "422" not in each["responses"]
        if each["x-role"] == "admin" and each["operationId"] not in NO_VERSIONS:
            assert "412" in each["responses"]
            assert "If-Match" in {found["name"].title() for found in each["parameters"]}


async def test_the_page_for_people_shows_every_operation_and_its_members() -> None:
    async with administered() as admin:
        document = (await admin.client.get("/openapi.json")).json()
        answer = await admin.client.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in answer.text
    assert "Weights by variant" in answer.text


async def test_the_page_loads_nothing_and_its_policy_allows_its_own_style_alone() -> None:
    async with administered() as admin:
        answer = await admin.client.get("/docs")
    for word in ("<script", "src=", "@import", "url(", "http://", "https://", " style="):
        assert word not in answer.text, word
    assert re.search(r"<[^>]* on\w+=", answer.text) is None
    policy = answer.headers["content-security-policy"]
    style = re.search(r"<style>(.*)</style>", answer.text, re.DOTALL)
    assert style
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_what_a_document_says_is_text_not_markup() -> None:
    operation = {
        "operationId": '"><b>',
        "x-role": "<i>",
        "description": "<script>alert(1)</script>",
        "parameters": [{"name": "<u>", "in": "query", "description": "&"}],
        "responses": {},
    }
    shown = page({"info": {"title": "<t>", "version": "1"}, "paths": {"/<p>": {"get": operation}}})
    for mark in ("<b>", "<i>", "<script", "<u>", "<t>", "<p>GET"):
        assert mark not in shown
