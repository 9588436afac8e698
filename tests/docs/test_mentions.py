"""The docs mention everything that exists, and nothing that does not."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from faena.cli.main import cli
from faena.conf import Settings
from faena.states import MOVES, State, diagram

ROOT = Path(__file__).resolve().parents[2]
SETTINGS_PAGE = (ROOT / "docs/settings.md").read_text()


@pytest.mark.parametrize("name", [each.name for each in fields(Settings)])
def test_every_setting_is_documented(name):
    assert f"| `{name}` |" in SETTINGS_PAGE


def test_every_documented_setting_exists():
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", SETTINGS_PAGE.split("## The dict `FAENA`")[1], re.M))
    assert documented == {each.name for each in fields(Settings)}


def test_every_environment_variable_is_documented():
    sources = [ROOT / "src/faena/environment.py"]
    for folder in ("src/faena_server", "src/faena/standalone", "src/faena/cli"):
        sources += (ROOT / folder).rglob("*.py")
    read = set()
    for source in sources:
        read |= set(re.findall(r"\"((?:FAENA|CELERY|REDIS)_[A-Z_]+)\"", source.read_text()))
    assert read
    assert {name for name in read if f"`{name}`" not in SETTINGS_PAGE} == set()


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_is_in_the_readme_or_the_docs(name):
    pages = "".join(page.read_text() for page in [ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/*.md")])
    assert f"faena {name}" in pages


def test_the_readme_begins_with_the_two_commands():
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert blocks[0].split("\n")[:2] == ["make demo", "make test"]


def test_every_file_the_readme_links_to_is_there():
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text())
    missing = [link for link in links if not link.startswith("http") and not (ROOT / link).exists()]
    assert links
    assert missing == []


def test_the_state_diagram_of_the_docs_is_the_table():
    page = (ROOT / "docs/states.md").read_text()
    assert f"```mermaid\n{diagram()}\n```" in page
    assert diagram().count("-->") == 1 + sum(len(targets) for targets in MOVES.values())
    assert set(MOVES) == set(State)
