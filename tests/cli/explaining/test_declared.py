import hashlib
import json
from pathlib import Path

import pytest

from tests.cli.conftest import GOOD, Run

KEYS = f"keys:\n  app: {{sha256: {'a' * 64}}}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nope",), "there is no route 'nope'; there are: support, by-key, by-chance"),
        (("support", "--key", "k"), "'support' sticks to the user, not to the key"),
        (("by-chance", "--user", "u"), "'by-chance' sticks to the request, not to the user"),
    ],
)
def test_what_cannot_be_explained_is_told_on_stderr(
    run: Run, file: Path, words: tuple[str, ...], message: str
) -> None:
    result = run("route", "explain", *words)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr


def test_an_unknown_variant_is_refused_as_the_proxy_would(run: Run, file: Path) -> None:
    result = run("route", "explain", "support", "--variant", "nope")

    assert result.exit_code == 1
    assert "Route 'support' has no variant 'nope'; it has: base, ft-v2." in result.stderr


def test_a_key_is_given_by_name_where_keys_are_configured(run: Run, file: Path) -> None:
    file.write_text(GOOD + KEYS, encoding="utf-8")

    assert run("route", "explain", "by-key", "--key", "app").stdout.startswith(
        "by-key -> base\nkey"
    )
    assert "There is no key 'web'; there are: app" in (
        run("route", "explain", "by-key", "--key", "web").stderr
    )


def test_a_key_is_given_by_digest_where_none_are_configured(run: Run, file: Path) -> None:
    digest = hashlib.sha256(b"sk-1").hexdigest()

    told = json.loads(run("route", "explain", "by-key", "--key", digest.upper(), "--json").stdout)

    assert told["unit"] == digest
    refused = run("route", "explain", "by-key", "--key", "secret")
    assert refused.exit_code == 1
    assert "said by the SHA-256 digest" in refused.stderr


def test_a_file_with_problems_explains_nothing_but_the_problems(run: Run, file: Path) -> None:
    file.write_text(GOOD.replace("upstream: sim", "upstream: smi"), encoding="utf-8")

    result = run("route", "explain", "support")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.count("names 'smi', which is no upstream; did you mean 'sim'?") == 4
