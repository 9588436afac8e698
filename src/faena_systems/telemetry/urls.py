"""Addresses of the telemetry."""

from django.urls import path
from ninja import NinjaAPI
from ninja.security import django_auth

from .api import router
from .views import dashboard, sync

api = NinjaAPI(title="Telemetry", auth=django_auth, docs_url=None, openapi_url=None, urls_namespace="telemetria-api")
api.add_router("", router)

app_name = "telemetria"
urlpatterns = [
    path("", dashboard.Dashboard.as_view(), name="inicio"),
    path("sync", sync.Sync.as_view(), name="sync"),
    path("synchronisations", sync.Synchronise.as_view(), name="synchronise"),
    path("api/", api.urls),
]
