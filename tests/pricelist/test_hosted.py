"""Upstreams that may be in the list, and the name under which a model is looked up."""

from threading import Event

from proxy.config.settings import DataPlane, UpstreamSettings
from proxy.pricelist import Hosted, PriceList
from proxy.pricelist.hosted import address, aside
from proxy.pricelist.listed import load
from proxy.pricing import Prices
from proxy.routing.table import Route, RoutingTable, Variant
from tests.support.observed import observed

OPENAI = UpstreamSettings(name="openai", scheme="https", host="api.openai.com", port=443)
VLLM = UpstreamSettings(name="vllm", scheme="http", host="vllm", port=8000)
TUNED = "ft:gpt-4o-mini-2024-07-18:acme::Abc123"
VARIANTS = (
    Variant(name="base", upstream="openai", model="gpt-4o-mini"),
    Variant(name="tuned", upstream="openai", model=TUNED),
)


def hosted(*upstreams: UpstreamSettings) -> Hosted:
    route = Route(name="support", variants=VARIANTS, weights=(1.0, 1.0))
    table = RoutingTable(version=1, digest="", routes={"support": route})
    return Hosted(
        DataPlane(table=table, upstreams={each.name: each for each in upstreams}), PriceList()
    )


def test_a_model_is_looked_up_by_its_upstreams_host_and_the_name_that_served() -> None:
    listed = hosted(OPENAI, VLLM).listed
    assert listed(observed(model_served="gpt-4o-mini-2024-07-18")) == Prices(
        input=0.15, cached_input=0.075, output=0.6
    )
    assert listed(observed(upstream="vllm")) is None
    assert listed(observed(upstream=None)) is None
    assert listed(observed(model_served=None)) is None


def test_a_variant_that_is_a_fine_tuned_model_is_that_one_whatever_its_upstream_says() -> None:
    found = hosted(OPENAI).listed(observed(variant_served="tuned", model_served="gpt-4o-mini"))
    assert found is not None
    assert found.input == 0.3


def test_what_passes_through_has_a_price_too() -> None:
    passed = observed(route=None, variant_served=None, variant_assigned=None)
    assert hosted(OPENAI).listed(passed) is not None


def test_the_list_is_prepared_only_where_it_may_be_asked() -> None:
    begun: list[object] = []
    hosted(VLLM).prepare(begun.append)
    assert begun == []
    hosted(OPENAI).prepare(begun.append)
    assert begun == [load]
    hosted(OPENAI).prepare()  # beside, and quick: it is loaded by now


def test_what_is_done_aside_is_done() -> None:
    done = Event()
    aside(done.set)
    assert done.wait(10)


def test_the_usual_port_is_left_out_of_an_address() -> None:
    assert address(OPENAI) == "https://api.openai.com/v1"
    assert address(VLLM) == "http://vllm:8000/v1"
