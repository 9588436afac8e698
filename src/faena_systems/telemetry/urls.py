"""Addresses of the telemetry."""

from django.urls import path

from .views import dashboard, sync

app_name = "telemetria"
urlpatterns = [
    path("", dashboard.Dashboard.as_view(), name="inicio"),
    path("sync", sync.Sync.as_view(), name="sync"),
]
