from __future__ import annotations

import os

import pytest
from click.testing import CliRunner

from faena.cli import up
from faena.cli.main import cli
from faena.cli.stack import worker_command


def test_a_small_installation_runs_jobs_in_threads(monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "faena_server.settings")
    normal, small = worker_command(2), worker_command(2, small=True)
    assert os.name == "nt" or "threads" not in normal
    assert small[small.index("--pool") + 1] == "threads"


@pytest.mark.parametrize(("profile", "small"), [("small", True), ("normal", False), (None, False)])
def test_the_profile_may_come_from_the_environment(monkeypatch, profile, small):
    asked = {}
    monkeypatch.setattr(up, "run_up", lambda *_, **options: asked.update(options) or 0)
    done = CliRunner().invoke(cli, ["up"], env={"FAENA_PROFILE": profile})
    assert done.exit_code == 0, done.output
    assert asked == {"small": small}


def test_an_unknown_profile_is_refused():
    done = CliRunner().invoke(cli, ["up"], env={"FAENA_PROFILE": "tiny"})
    assert done.exit_code == 2
    assert "'tiny' is not one of 'normal', 'small'" in done.output
