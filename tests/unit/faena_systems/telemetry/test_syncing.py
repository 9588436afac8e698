"""Synchronisations as jobs in this process, against PanAccess over HTTP."""

from __future__ import annotations

import json

import pytest

from faena.models import Job
from faena_sandbox.panaccess.behaviour import Fault
from faena_systems.telemetry import syncing
from faena_systems.telemetry.errors import OrderIgnored, UnreadableAnswer
from faena_systems.telemetry.models import TelemetryRecordEntry, Watermark
from faena_systems.telemetry.tasks import sync_telemetry_task, telemetry_run

pytestmark = pytest.mark.django_db(transaction=True)

OPTIONS = {"merge_batch_size": 100, "backfill_last_n": 0}


def sync(limit: int = 100, batch_size: int = 250) -> dict:
    """What a synchronisation returns; its error if it fails."""
    done = telemetry_run.run_now(limit=limit, batch_size=batch_size, **OPTIONS)
    if isinstance(done.result, Exception):
        raise done.result
    return Job.objects.get(pk=done.id).result["sync"]


def ids() -> list[int]:
    return list(TelemetryRecordEntry.objects.order_by("recordId").values_list("recordId", flat=True))


def all_ids(panaccess) -> list[int]:
    return [panaccess.dataset.id_of(index) for index in range(panaccess.dataset.rows)]


@pytest.fixture(params=["newFilters", "offset"])
def installation(request, panaccess):
    """Both kinds of installation."""
    panaccess.behaviour.honours_filters = request.param == "newFilters"
    return panaccess


def test_an_empty_table_is_filled(installation):
    installation.dataset.rows = 1_234
    assert sync() == {
        "success": True,
        "task": "sync_telemetry_task",
        "total_downloaded": 1_234,
        "saved_records": 1_234,
        "skipped_records": 0,
        "errors": 0,
        "was_empty_before": True,
        "highest_id_before": 0,
        "highest_id_after": 1_237,
    }
    assert ids() == all_ids(installation)


def test_the_rows_are_what_was_sent(installation):
    installation.dataset.rows = 150
    sync()
    for index in (0, 77, 149):
        sent = installation.dataset.record(index)
        kept = TelemetryRecordEntry.objects.filter(pk=sent["recordId"]).values(*sent).get()
        assert kept == sent


@pytest.mark.parametrize("arriving", [0, 100])
def test_only_what_is_new_is_fetched(installation, arriving):
    installation.dataset.rows = 800
    sync()
    installation.dataset.rows += arriving
    sync()  # learns whether filters work, if it did not know
    before = installation.calls.total()
    installation.dataset.rows += 98
    result = sync()
    assert (result["total_downloaded"], result["saved_records"], result["was_empty_before"]) == (98, 98, False)
    assert installation.calls.total() - before <= 2
    assert ids() == all_ids(installation)


def test_nothing_new_costs_one_call(installation):
    installation.dataset.rows = 300
    sync()
    sync()
    before = installation.calls.total()
    assert sync()["total_downloaded"] == 0
    assert installation.calls.total() - before == 1


def test_rows_that_arrive_meanwhile_are_neither_lost_nor_doubled(installation):
    installation.dataset.rows = 1_000
    installation.behaviour.arrivals_per_page = 13
    first = sync()
    installation.behaviour.arrivals_per_page = 0
    second = sync()
    assert ids() == all_ids(installation)
    assert first["skipped_records"] == second["skipped_records"] == 0
    assert first["saved_records"] + second["saved_records"] == installation.dataset.rows


def test_a_page_that_fails_for_good_keeps_what_came_before(installation):
    installation.dataset.rows = 1_000
    sync(limit=100)  # so that both kinds of installation are known as what they are
    installation.dataset.rows = 3_000
    installation.faults.append(Fault("truncated", times=40, after=5))
    with pytest.raises(UnreadableAnswer):
        sync(limit=100, batch_size=1_000_000)
    kept = ids()
    assert 1_000 < len(kept) < 3_000
    assert kept == all_ids(installation)[: len(kept)]
    installation.faults.clear()
    sync()
    assert ids() == all_ids(installation)


def test_a_session_that_ends_in_the_middle(installation):
    installation.dataset.rows = 2_000
    installation.behaviour.session_calls = 7
    assert sync(limit=100)["saved_records"] == 2_000
    assert 2 < installation.calls["login"] <= 20


def test_a_record_that_somebody_wrote_by_hand_is_skipped(installation):
    installation.dataset.rows = 400
    sync()
    TelemetryRecordEntry.objects.create(recordId=installation.dataset.id_of(450), ip="by hand")
    installation.dataset.rows = 500
    result = sync()
    assert (result["saved_records"], result["skipped_records"]) == (99, 1)
    assert TelemetryRecordEntry.objects.filter(ip="by hand").count() == 1
    assert ids() == all_ids(installation)


def test_a_table_that_was_filled_without_a_watermark_is_gone_on_with(installation):
    installation.dataset.rows = 900
    sync()
    Watermark.objects.all().delete()
    installation.dataset.rows = 1_000
    assert sync()["total_downloaded"] == 100
    assert ids() == all_ids(installation)


def test_an_installation_that_does_not_sort_is_refused(panaccess, monkeypatch):
    panaccess.dataset.rows = 50
    monkeypatch.setattr(type(panaccess), "_chosen", lambda self, form: range(50)[::-1])
    with pytest.raises(OrderIgnored):
        sync()
    assert ids() == []


def test_records_that_were_deleted_at_panaccess_shift_nothing(panaccess, monkeypatch):
    panaccess.behaviour.honours_filters = False
    panaccess.dataset.rows = 1_000
    sync()
    panaccess.dataset.rows = 1_500
    whole = type(panaccess)._chosen
    monkeypatch.setattr(type(panaccess), "_chosen", lambda self, form: whole(self, form)[333:])
    assert sync()["saved_records"] == 500
    assert ids() == all_ids(panaccess)


def test_sparse_ids(panaccess, monkeypatch):
    monkeypatch.setattr(type(panaccess.dataset), "id_of", staticmethod(lambda index: index * 50 + 1))
    monkeypatch.setattr(type(panaccess.dataset), "index_after", staticmethod(lambda known: (known + 49) // 50))
    panaccess.dataset.rows = 1_000
    sync(limit=100)
    assert ids() == all_ids(panaccess)


def test_a_record_without_an_id_is_counted_as_an_error(panaccess, monkeypatch):
    panaccess.dataset.rows = 10
    row = type(panaccess.dataset)._row

    def spoiled(self, index):
        return json.dumps({**json.loads(row(self, index)), "recordId": None}) if index == 4 else row(self, index)

    monkeypatch.setattr(type(panaccess.dataset), "_row", spoiled)
    result = sync()
    assert (result["total_downloaded"], result["saved_records"], result["errors"]) == (10, 9, 1)


def test_counts_and_rows_are_right_after_a_crash_in_the_middle(installation, monkeypatch):
    """The process dies between two transactions; the job goes on in another one."""
    from faena.celery import holding
    from faena.ledger import settle
    from faena_systems.telemetry import running

    class Died(BaseException):
        pass

    installation.dataset.rows = 1_000
    save, calls = syncing.save, []

    def dying(run, arrival):
        save(run, arrival)
        calls.append(arrival)
        if len(calls) == 2:
            raise Died

    monkeypatch.setattr(syncing, "save", dying)
    with pytest.raises(Died):
        telemetry_run.run_now(limit=100, batch_size=250, **OPTIONS)
    monkeypatch.setattr(syncing, "save", save)
    holding.end(holding.current_hold().job_id) if holding.current_hold() else None
    job = Job.objects.get()
    assert 200 <= len(ids()) < 500
    settle.crash(job.pk, job.fence, "it died")
    running.follow(job.pk)
    result = Job.objects.get(pk=job.pk).result["sync"]
    assert (result["total_downloaded"], result["saved_records"], result["was_empty_before"]) == (1_000, 1_000, True)
    assert ids() == all_ids(installation)


def test_the_documented_task(panaccess):
    panaccess.dataset.rows = 20
    assert sync_telemetry_task.run_now().result["saved_records"] == 20
