"""The shop, and the monitor below /faena/."""

from django.urls import include, path

from orders import views

urlpatterns = [
    path("orders/", views.place),
    path("orders/<int:pk>/", views.show),
    path("prices/", views.raise_prices),
    path("jobs/<uuid:pk>/", views.job),
    path("faena/", include("faena.monitor.urls")),
]
