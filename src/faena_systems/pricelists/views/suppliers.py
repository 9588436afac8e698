"""Suppliers and their configurations."""

from __future__ import annotations

from typing import Any

from django.contrib.messages.views import SuccessMessageMixin
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.generic import CreateView, UpdateView

from faena.monitor.page import Operating

from ..forms import ConfigForm, SupplierForm
from ..models import ConfigImportacion, Proveedor


class AddSupplier(Operating, SuccessMessageMixin, CreateView):
    """A new supplier; then its first list can be uploaded."""

    model = Proveedor
    form_class = SupplierForm
    template_name = "importaciones/supplier_form.html"
    success_message = _("%(nombre)s was added. Now upload its list.")

    def get_success_url(self) -> str:
        """Return to the first page with the supplier chosen."""
        return f"{reverse('importaciones:inicio')}?proveedor={self.object.pk}"  # type: ignore[union-attr]


class EditSupplier(Operating, SuccessMessageMixin, UpdateView):
    """A supplier's name and factors; its configurations are listed next to them."""

    model = Proveedor
    form_class = SupplierForm
    template_name = "importaciones/supplier_form.html"
    success_message = _("%(nombre)s was saved.")

    def get_success_url(self) -> str:
        """Show what the factors do."""
        return reverse("importaciones:precios", args=[self.object.pk])


class EditConfig(Operating, SuccessMessageMixin, UpdateView):
    """Where the fields stand in a supplier's sheets."""

    model = ConfigImportacion
    form_class = ConfigForm
    template_name = "importaciones/config_form.html"
    success_message = _("The configuration “%(nombre_config)s” was saved.")

    def get_form_kwargs(self) -> dict[str, Any]:
        """Tell the form whose names must differ."""
        return super().get_form_kwargs() | {"proveedor": self.object.proveedor}

    def get_success_url(self) -> str:
        """Return to the supplier's pending files."""
        return reverse("importaciones:confirmar", args=[self.object.proveedor_id])
