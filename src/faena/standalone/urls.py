"""The monitor and the API at the root of wherever it is mounted."""

from django.urls import include, path

urlpatterns = [path("", include("faena.api.urls")), path("", include("faena.monitor.urls"))]
