from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

column = RegexValidator(
    r"^\s*([A-Za-z]{1,3}|\d{1,5})\s*\Z",
    _("Give a column as letters (A, B, AA) or as a number that starts at 0."),
)


class ConfigImportacion(models.Model):
    """Where each field stands in one supplier's sheets. Columns are letters or 0-based numbers."""

    proveedor = models.ForeignKey(
        "importaciones.Proveedor",
        models.CASCADE,
        related_name="configuraciones",
        verbose_name=_("supplier"),
    )
    nombre_config = models.CharField(_("name"), max_length=100)
    col_codigo = models.CharField(_("code column"), max_length=5, validators=[column])
    col_descripcion = models.CharField(_("description column"), max_length=5, validators=[column])
    col_precio = models.CharField(_("price column"), max_length=5, validators=[column])
    col_cant = models.CharField(_("quantity column"), max_length=5, blank=True, validators=[column])
    col_iva = models.CharField(_("VAT column"), max_length=5, blank=True, validators=[column])
    col_cod_barras = models.CharField(_("barcode column"), max_length=5, blank=True, validators=[column])
    col_marca = models.CharField(_("brand column"), max_length=5, blank=True, validators=[column])
    instructivo = models.TextField(_("instructions"), blank=True)

    class Meta:
        verbose_name = _("import configuration")
        verbose_name_plural = _("import configurations")
        ordering = ["proveedor", "nombre_config"]
        constraints = [
            models.UniqueConstraint(fields=["proveedor", "nombre_config"], name="config_proveedor_nombre_unique"),
            models.CheckConstraint(
                condition=~models.Q(col_codigo="") & ~models.Q(col_descripcion="") & ~models.Q(col_precio=""),
                name="config_required_columns",
            ),
        ]

    def __str__(self):
        return self.nombre_config
