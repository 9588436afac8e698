"""Every address of the project: the monitor at the root, each system under its own path."""

from django.apps import apps
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("faena.api.urls")),
    path("", include("faena.monitor.urls")),
]
if apps.is_installed("faena_systems.pricelists"):
    urlpatterns.insert(1, path("importaciones/", include("faena_systems.pricelists.urls")))
if apps.is_installed("faena_systems.telemetry"):
    urlpatterns.insert(1, path("telemetria/", include("faena_systems.telemetry.urls")))
