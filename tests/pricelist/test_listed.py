"""The list that came with the library: who is in it, fine-tuned models by their own price."""

import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices.types import ModelPrice

from proxy.pricelist import PriceList
from proxy.pricelist.listed import load, public, read
from proxy.pricing import Prices

OPENAI = "https://api.openai.com/v1"
NOW = datetime(2026, 11, 22, tzinfo=UTC).timestamp()


def listed(model: str, url: str = OPENAI) -> Prices | None:
    return PriceList().prices(url, url.split("/")[2], model, NOW)


def test_a_hosted_model_has_the_prices_of_its_host_under_any_of_its_names() -> None:
    prices = listed("gpt-4o-mini")
    assert prices == Prices(input=0.15, cached_input=0.075, output=0.6)
    assert listed("gpt-4o-mini-2024-07-18") == prices


def test_a_fine_tuned_model_has_its_own_price_and_never_its_bases() -> None:
    tuned = listed("ft:gpt-4o-mini-2024-07-18:acme::Abc123")
    assert tuned is not None
    assert tuned.input == 0.3
    assert listed("ft:gpt-4.1-2025-04-14:acme::Abc123") is None
    assert listed("ft:gpt-4-0613:acme::Abc123") is None  # the list has it under its base
    azure = "https://acme.openai.azure.com/openai/v1"
    assert listed("gpt-4o-mini-2024-07-18.ft-abc", azure) == tuned


def test_a_model_or_a_host_that_is_not_in_the_list_is_unknown() -> None:
    assert listed("gpt-4o-mini-of-our-own") is None
    assert listed("gpt-4o-mini", "https://models.example.com/v1") is None


def test_what_is_asked_again_is_known_and_only_so_much_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("proxy.pricelist.listed.REMEMBERED", 2)
    prices = PriceList()
    models = ("a", "b", "gpt-4o-mini", "gpt-4o-mini")
    found = [prices.prices(OPENAI, "api.openai.com", model, NOW) for model in models]
    assert [each is None for each in found] == [True, True, False, False]


def test_long_prompts_have_their_own_prices() -> None:
    prices = listed("claude-sonnet-4-5", "https://api.anthropic.com/v1")
    assert prices is not None
    assert prices.of(200_000).input == 3.0
    assert prices.of(200_001) == Prices(input=6.0, cached_input=0.6, output=22.5)


def test_prices_that_token_counts_do_not_tell_are_unknown() -> None:
    text = {"input_mtok": Decimal(1), "output_mtok": Decimal(2)}
    assert read(ModelPrice(**text)) == Prices(input=1.0, output=2.0)
    assert read(ModelPrice(**text, requests_kcount=Decimal(5))) is None
    assert read(ModelPrice(audio_hours=Decimal(1))) is None


@pytest.mark.parametrize(
    "host", ["vllm", "localhost", "127.0.0.1", "::1", "10.0.0.7", "models.internal", "a.svc"]
)
def test_hosts_of_ones_own_are_not_looked_up(host: str) -> None:
    assert not public(host)
    assert public("api.openai.com")


def test_loading_asks_no_network_and_starts_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("the list asked the network")

    monkeypatch.setattr(socket, "getaddrinfo", refused)
    monkeypatch.setattr(socket.socket, "connect", refused)
    before = threading.active_count()
    load()
    assert listed("gpt-4o-mini") is not None
    assert threading.active_count() == before


def test_nothing_of_it_is_loaded_for_a_host_of_ones_own() -> None:
    program = (
        "import sys; from proxy.pricelist import PriceList; "
        "PriceList().prices('http://vllm:8000/v1', 'vllm', 'gpt-4o-mini', 0.0); "
        "sys.exit('genai_prices' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_what_it_takes_to_load_is_bounded() -> None:
    """Measured: 18 MiB and 0.6 s of CPU time beside what control has loaded anyway."""
    program = (
        "import resource, time, httpx2, pydantic; from proxy.pricelist.listed import load\n"
        "of = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "kib, cpu = of(), time.process_time(); load()\n"
        "print(of() - kib, time.process_time() - cpu)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    kib, seconds = map(float, ran.stdout.split())
    assert kib < 40 * 1024
    assert seconds < 3
