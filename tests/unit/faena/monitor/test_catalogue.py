from __future__ import annotations

import re
from pathlib import Path

import faena

FOLDER = Path(faena.__file__).parent
CATALOGUE = (FOLDER / "locale/es/LC_MESSAGES/django.po").read_text()
TRANSLATED = dict(re.findall(r'^msgid "(.*)"\nmsgstr "(.*)"$', CATALOGUE, re.MULTILINE))


def test_every_string_has_its_spanish():
    assert [source for source, spanish in TRANSLATED.items() if source and not spanish] == []


def test_every_string_of_the_templates_is_in_the_catalogue():
    used = {
        text
        for page in FOLDER.glob("templates/**/*.html")
        for text in re.findall(r"""{% translate (?:"([^"]+)"|'[^']+') ?%}""", page.read_text())
        if text
    }
    assert used - set(TRANSLATED) == set()
    assert len(used) > 50


def test_placeholders_are_kept():
    for source, spanish in TRANSLATED.items():
        assert sorted(re.findall(r"%\(\w+\)s", source)) == sorted(re.findall(r"%\(\w+\)s", spanish)), source
