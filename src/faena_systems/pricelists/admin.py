"""The tables that people mend by hand. Nothing here counts or lists a whole table: 100,000 rows stay quick."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from . import uploading
from .models import (
    ArchivoPendiente,
    Articulo,
    ArticuloProveedor,
    ArticuloSinRevisar,
    ConfigImportacion,
    PrecioDeLista,
    Proveedor,
)


class BigTable(admin.ModelAdmin):
    """A table of 100,000 rows: no second count, no drop-down of rows."""

    show_full_result_count = False
    list_per_page = 50


@admin.register(Proveedor)
class ProveedorAdmin(admin.ModelAdmin):
    """Suppliers."""

    list_display = [
        "nombre",
        "abreviatura",
        "descuento_comercial",
        "margen_ganancia",
        "margen_ganancia_efectivo",
        "margen_ganancia_bulto",
    ]
    search_fields = ["nombre", "abreviatura"]


@admin.register(ConfigImportacion)
class ConfigImportacionAdmin(admin.ModelAdmin):
    """Import configurations."""

    list_display = ["nombre_config", "proveedor", "col_codigo", "col_descripcion", "col_precio", "col_cant", "col_iva"]
    list_filter = ["proveedor"]
    list_select_related = ["proveedor"]
    search_fields = ["nombre_config", "proveedor__nombre", "proveedor__abreviatura"]
    autocomplete_fields = ["proveedor"]


@admin.register(ArchivoPendiente)
class ArchivoPendienteAdmin(BigTable):
    """Files: uploads make them, so here they are only mended and deleted."""

    list_display = [
        "nombre_archivo_origen",
        "hoja_origen",
        "proveedor",
        "config_usada",
        "fecha_subida",
        "procesado",
        "error",
    ]
    list_filter = ["procesado", "fecha_subida", "proveedor"]
    list_select_related = ["proveedor", "config_usada"]
    search_fields = ["nombre_archivo_origen", "hoja_origen", "proveedor__nombre", "sha256"]
    autocomplete_fields = ["config_usada"]
    readonly_fields = ["proveedor", "ruta_csv", "sha256", "bytes", "uploaded_by", "fecha_subida", "job_id", "error"]
    date_hierarchy = "fecha_subida"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: a file is made by an upload."""
        return False

    def delete_model(self, request: HttpRequest, obj: ArchivoPendiente) -> None:
        """Delete the CSV too."""
        uploading.withdraw(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete the CSVs too."""
        for archivo in queryset:
            uploading.withdraw(archivo)


@admin.register(PrecioDeLista)
class PrecioDeListaAdmin(BigTable):
    """List prices."""

    list_display = ["codigo", "descripcion", "proveedor", "precio", "iva", "bulto", "stock", "marca"]
    list_filter = ["proveedor"]
    list_select_related = ["proveedor"]
    search_fields = ["codigo", "descripcion", "marca"]
    autocomplete_fields = ["proveedor"]


@admin.register(Articulo)
class ArticuloAdmin(BigTable):
    """Articles."""

    list_display = ["codigo_barras", "descripcion", "marca"]
    search_fields = ["codigo_barras", "descripcion", "marca"]


@admin.register(ArticuloSinRevisar)
class ArticuloSinRevisarAdmin(BigTable):
    """Suppliers' codes to review."""

    list_display = ["codigo_proveedor", "descripcion_proveedor", "descripcion", "proveedor", "estado"]
    list_filter = ["estado", "proveedor"]
    list_select_related = ["proveedor"]
    search_fields = ["codigo_proveedor", "descripcion_proveedor", "descripcion"]
    autocomplete_fields = ["proveedor"]


@admin.register(ArticuloProveedor)
class ArticuloProveedorAdmin(BigTable):
    """Links of suppliers' codes to articles."""

    list_display = ["codigo_proveedor", "proveedor", "precio_de_lista", "articulo", "articulo_sin_revisar"]
    list_filter = ["proveedor"]
    list_select_related = ["proveedor", "precio_de_lista", "articulo", "articulo_sin_revisar"]
    search_fields = ["codigo_proveedor", "articulo__codigo_barras"]
    autocomplete_fields = ["proveedor"]
    raw_id_fields = ["precio_de_lista", "articulo", "articulo_sin_revisar"]
