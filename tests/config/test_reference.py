import re
from pathlib import Path

from proxy.config.reference import MARK, renewed, sections

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_of_settings_is_what_the_schema_says() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page == renewed(page), "run: python -m proxy.config.reference docs/configuration.md"


def test_what_stands_above_the_mark_is_kept() -> None:
    assert renewed(f"# Words\n\n{MARK}long gone").startswith(f"# Words\n\n{MARK}")
    assert "long gone" not in renewed(f"{MARK}long gone")


def test_every_setting_has_its_row_with_kind_default_and_meaning() -> None:
    text = "".join(sections())

    assert "### `routes.NAME.variants.NAME`" in text
    assert "| `api_key` | text, like `${OPENAI_API_KEY}` |  |" in text
    assert "| `base_url` | text, like `https://api.openai.com/v1` | **required** |" in text
    assert (
        "| `body_bytes` | text, like `32MiB` or whole number, at least 1,024 | `32MiB` |" in text
    )
    assert "| `verify` | `true` or `false` | `true` |" in text
    assert "| `redact` | list of text |" in text
    assert "| `split` | NAME: number, at least 0 |" in text
    assert "| `previews` | settings or `off` |" in text


def test_what_may_stand_at_several_places_is_said_once_and_referred_to() -> None:
    text = "".join(sections())

    assert text.count("### `alerts.error_rate`") == 1
    assert "### `routes.NAME.alerts.error_rate`" not in text
    assert text.count("See [`alerts.error_rate`](#alertserror_rate).") == 1
    assert "| `budget` | settings |  | How much its requests may cost" in text
    links = set(re.findall(r"\]\(#(\w+)\)", text))
    titles = re.findall(r"^### `(.+)`$", text, re.MULTILINE)
    assert links <= {title.lower().replace(".", "") for title in titles}
