from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

# It names a folder on disk, so nothing but plain letters, digits, "-" and "_".
short_name = RegexValidator(r"^[A-Z0-9_-]+\Z", _("Use capital letters, digits, - and _ only."))


class Proveedor(models.Model):
    """A supplier, with the factors that turn its list prices into prices for sale."""

    nombre = models.CharField(_("name"), max_length=100)
    abreviatura = models.CharField(_("short name"), max_length=10, unique=True, validators=[short_name])
    descuento_comercial = models.DecimalField(
        _("trade discount"),
        max_digits=5,
        decimal_places=4,
        default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("As a fraction: 0.15 is 15 %."),
    )
    margen_ganancia = models.DecimalField(
        _("margin"),
        max_digits=6,
        decimal_places=4,
        default=Decimal("1.5"),
        validators=[MinValueValidator(0)],
        help_text=_("The base price is multiplied by it."),
    )
    margen_ganancia_efectivo = models.DecimalField(
        _("cash factor"),
        max_digits=6,
        decimal_places=4,
        default=Decimal("0.90"),
        validators=[MinValueValidator(0)],
        help_text=_("The final price is multiplied by it when paid in cash."),
    )
    margen_ganancia_bulto = models.DecimalField(
        _("pack factor"),
        max_digits=6,
        decimal_places=4,
        default=Decimal("0.95"),
        validators=[MinValueValidator(0)],
        help_text=_("The price of a whole pack is multiplied by it."),
    )

    class Meta:
        verbose_name = _("supplier")
        verbose_name_plural = _("suppliers")
        ordering = ["nombre", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(abreviatura=Upper("abreviatura")) & ~models.Q(abreviatura=""),
                name="proveedor_abreviatura_upper",
                violation_error_message=_("The short name must be in capital letters."),
            ),
            models.CheckConstraint(
                condition=models.Q(descuento_comercial__gte=0, descuento_comercial__lte=1),
                name="proveedor_descuento_fraction",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    margen_ganancia__gte=0, margen_ganancia_efectivo__gte=0, margen_ganancia_bulto__gte=0
                ),
                name="proveedor_margins_not_negative",
            ),
        ]

    def __str__(self):
        return f"{self.nombre} ({self.abreviatura})"

    def clean_fields(self, exclude=None):
        self.abreviatura = (self.abreviatura or "").strip().upper()
        super().clean_fields(exclude=exclude)
