"""The generated pages agree with the types."""

from __future__ import annotations

from pathlib import Path

from tamis.settings import REDACTED, KafkaSettings, Secret, Settings
from tamis.settings_loader import LoadedSettings, known_fields, load_settings
from tamis.settings_reference import markdown, pages, shown, toml_example

ROOT = Path(__file__).parents[2]


def test_the_example_names_every_setting_and_loads_as_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "example.toml"
    path.write_text(toml_example())
    loaded = load_settings(str(path), {})
    assert loaded.settings == Settings()
    assert set(loaded.origins) == set(known_fields()) - {"kafka.password"}


def test_the_page_in_the_documents_is_up_to_date() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == markdown(), "run: tamis settings reference > docs/configuration.md"


def test_every_setting_has_a_meaning_and_durations_carry_a_unit() -> None:
    for page in pages():
        assert page.description, page.name
        if page.kind.startswith("number"):
            assert page.name.endswith(("_s", "_ms", "_ratio")), page.name


def test_shown_values_have_origins_and_no_secrets() -> None:
    settings = Settings(kafka=KafkaSettings(password=Secret("pa55word"), username="u"))
    values = shown(LoadedSettings(settings=settings, origins={"kafka.username": "variable X"}))
    assert values["kafka.password"] == {"value": REDACTED, "origin": "default"}
    assert values["kafka.username"] == {"value": "u", "origin": "variable X"}
    assert "pa55word" not in str(values)
