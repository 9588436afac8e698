from __future__ import annotations

import ast
import re
from pathlib import Path

import polib

import faena

FOLDER = Path(faena.__file__).parent
CATALOGUE = [entry for entry in polib.pofile(str(FOLDER / "locale/es/LC_MESSAGES/django.po")) if not entry.obsolete]
SOURCES = {entry.msgid for entry in CATALOGUE}
#: Which argument of each function is the string.
MARKS = {"_": 0, "gettext": 0, "gettext_lazy": 0, "gettext_noop": 0, "ngettext": 0, "pgettext": 1, "pgettext_lazy": 1}
BLOCK = r"{% blocktranslate[^%]*%}(.*?){% endblocktranslate %}"


def marked(path: Path) -> set[str]:
    """The strings of a Python file that are marked for translation."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    named = [(node, MARKS[node.func.id]) for node in calls if isinstance(node.func, ast.Name) and node.func.id in MARKS]
    found = [node.args[place] for node, place in named if len(node.args) > place]
    return {each.value for each in found if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def test_every_string_has_its_spanish():
    assert [entry.msgid for entry in CATALOGUE if not entry.translated()] == []


def test_every_string_of_the_templates_is_in_the_catalogue():
    used = {
        text
        for page in FOLDER.glob("templates/**/*.html")
        for pair in re.findall(r"""{% translate (?:"([^"]+)"|'([^']+)')""", page.read_text())
        for text in pair
        if text
    }
    assert used - SOURCES == set()
    assert len(used) > 200


def test_every_sentence_of_the_templates_is_in_the_catalogue():
    used = set()
    for page in FOLDER.glob("templates/**/*.html"):
        for block in re.findall(BLOCK, page.read_text(), re.S):
            for part in block.split("{% plural %}"):
                used.add(re.sub(r"{{ (\w+) }}", r"%(\1)s", part.replace("%", "%%")))
    known = SOURCES | {entry.msgid_plural for entry in CATALOGUE}
    assert used - known == set()
    assert len(used) > 20


def test_every_string_of_the_code_is_in_the_catalogue():
    used = set().union(*(marked(path) for path in FOLDER.rglob("*.py")))
    assert used - SOURCES == set()
    assert len(used) > 300


def test_placeholders_are_kept():
    for entry in CATALOGUE:
        spanish, english = [entry.msgstr, *entry.msgstr_plural.values()], [entry.msgid, entry.msgid_plural]
        assert placeholders(spanish) == placeholders(english), entry.msgid


def placeholders(texts: list[str]) -> set[str]:
    return {name for text in texts for name in re.findall(r"%\(\w+\)[sd]", text)}


def test_the_compiled_catalogue_is_the_one_that_is_read():
    compiled = {
        (entry.msgctxt, entry.msgid): entry.msgstr
        for entry in polib.mofile(str(FOLDER / "locale/es/LC_MESSAGES/django.mo"))
    }
    assert {(entry.msgctxt, entry.msgid): entry.msgstr for entry in CATALOGUE} == compiled
