"""Every text of the telemetry has its Spanish."""

import re
from pathlib import Path

import polib
import pytest

import faena_systems.telemetry as package

HERE = Path(package.__file__).parent
CATALOGUE = HERE / "locale/es/LC_MESSAGES/django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)s")


@pytest.fixture(scope="module")
def entries():
    return [entry for entry in polib.pofile(str(CATALOGUE)) if not entry.obsolete]


def test_nothing_is_left_untranslated(entries):
    assert [entry.msgid for entry in entries if not entry.translated() or entry.fuzzy] == []


def test_placeholders_survive(entries):
    for entry in entries:
        for text in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
            assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(entry.msgid)), entry.msgid


def test_every_text_of_the_templates_is_in_the_catalogue(entries):
    known = {entry.msgid for entry in entries}
    for path in HERE.rglob("*.html"):
        found = re.findall(r"{% translate (?:\"([^\"]+)\"|'([^']+)') %}", path.read_text(encoding="utf-8"))
        assert {one or other for one, other in found} <= known, path


def test_the_compiled_catalogue_is_current(entries):
    compiled = {entry.msgid for entry in polib.mofile(str(CATALOGUE.with_suffix(".mo")))}
    assert compiled == {entry.msgid for entry in entries}
