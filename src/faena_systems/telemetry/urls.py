"""Addresses of the telemetry's pages; its API is a part of `/api/`."""

from django.urls import path

from .views import dashboard, sync

app_name = "telemetria"
urlpatterns = [
    path("", dashboard.Dashboard.as_view(), name="inicio"),
    path("sync", sync.Sync.as_view(), name="sync"),
    path("synchronisations", sync.Synchronise.as_view(), name="synchronise"),
]
