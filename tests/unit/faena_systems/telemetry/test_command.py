"""``manage.py telemetry_run``: no worker, no broker."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from faena.models import Job
from faena_sandbox.panaccess.behaviour import Fault
from faena_systems.telemetry.models import MergedTelemetricOTT, TelemetryRecordEntry

pytestmark = pytest.mark.django_db(transaction=True)


def run(*options: str) -> str:
    said = io.StringIO()
    call_command("telemetry_run", *options, stdout=said)
    return said.getvalue()


def test_it_synchronises_and_merges(panaccess):
    panaccess.dataset.rows = 700
    said = run("--limit", "100", "--batch-size", "150", "--merge-batch-size", "90")
    assert "saved_records=700" in said
    assert f"merged_records={MergedTelemetricOTT.objects.count()}" in said
    assert TelemetryRecordEntry.objects.count() == 700
    assert Job.objects.get().state == "completed"
    assert panaccess.calls[panaccess.behaviour.function] >= 7


def test_it_merges_the_last_ones_again(panaccess):
    panaccess.dataset.rows = 100
    run()
    MergedTelemetricOTT.objects.all().delete()
    assert "saved_records=0" in run().partition("merge:")[2]
    assert "total_processed=49" in run("--backfill-last-n", "100")
    assert MergedTelemetricOTT.objects.count() == 49


def test_a_failure_is_told_in_one_sentence_and_the_next_run_goes_on(panaccess):
    panaccess.dataset.rows = 10
    panaccess.faults.append(Fault("html", times=4))
    with pytest.raises(CommandError, match="PanAccess sent"):
        run()
    assert "saved_records=10" in run()


def test_without_configuration_it_says_what_is_missing(unconfigured):
    with pytest.raises(CommandError, match="PANACCESS_URL, PANACCESS_USERNAME"):
        run()


@pytest.mark.parametrize("options", [("--limit", "1"), ("--limit", "1001"), ("--batch-size", "0"), ("--limit", "many")])
def test_options_that_make_no_sense(options):
    with pytest.raises(CommandError):
        run(*options)
