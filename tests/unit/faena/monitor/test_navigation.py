from __future__ import annotations

from django.apps import apps

from faena.monitor.navigation import entries


def test_a_system_announces_its_pages(monkeypatch):
    announced = [("Tables", "admin:index", "table"), ("Not mounted", "nowhere:index", "table")]
    monkeypatch.setattr(apps.get_app_config("sessions"), "faena_navigation", announced, raising=False)
    found = {str(entry.label): entry for entry in entries("/admin/auth/user/")}
    assert found["Tables"].is_current
    assert not found["Jobs"].is_current
    assert "Not mounted" not in found


def test_the_list_and_each_job_are_under_jobs():
    for path, current in [("/", "Overview"), ("/jobs/", "Jobs"), ("/jobs/x/", "Jobs"), ("/queues/", "Queues")]:
        assert [str(entry.label) for entry in entries(path) if entry.is_current] == [current]
