"""Addresses of the price lists. Actions are POSTs to nouns."""

from django.urls import path

from .views import confirming, home, previews, prices, results, suppliers

app_name = "importaciones"
urlpatterns = [
    path("", home.Home.as_view(), name="inicio"),
    path("preview/<int:prov>/<str:file>/", previews.Preview.as_view(), name="preview"),
    path("preview/<int:prov>/<str:file>/discard", previews.Discard.as_view(), name="discard"),
    path("confirmar/<int:prov>/", confirming.Confirm.as_view(), name="confirmar"),
    path("pendientes/<int:pk>/", confirming.EditPending.as_view(), name="pendiente"),
    path("pendientes/<int:pk>/withdrawal", confirming.Withdraw.as_view(), name="withdraw"),
    path("pendientes/<int:pk>/import", confirming.ImportOne.as_view(), name="import"),
    path("resultado/<uuid:pk>/", results.Result.as_view(), name="resultado"),
    path("resultado/<uuid:pk>/xlsx", results.Report.as_view(), name="report"),
    path("resultado/<int:archivo>/", results.ResultOfFile.as_view(), name="resultado-archivo"),
    path("precios/<int:prov>/", prices.Prices.as_view(), name="precios"),
    path("proveedores/new/", suppliers.AddSupplier.as_view(), name="add-supplier"),
    path("proveedores/<int:pk>/", suppliers.EditSupplier.as_view(), name="supplier"),
    path("configuraciones/<int:pk>/", suppliers.EditConfig.as_view(), name="config"),
]
