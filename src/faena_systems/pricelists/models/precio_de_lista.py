from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from .. import pricing


class PrecioDeLista(models.Model):
    """A supplier's list price for one of its codes, before tax."""

    codigo = models.CharField(_("code"), max_length=50)
    descripcion = models.CharField(_("description"), max_length=500)
    precio = models.DecimalField(
        _("list price"), max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    # The unique index below starts with the supplier, so it needs none of its own.
    proveedor = models.ForeignKey(
        "importaciones.Proveedor",
        models.CASCADE,
        db_index=False,
        related_name="precios",
        verbose_name=_("supplier"),
    )
    iva = models.DecimalField(
        _("VAT"),
        max_digits=5,
        decimal_places=4,
        default=Decimal("0.21"),
        validators=[MinValueValidator(0), MaxValueValidator(Decimal("1.5"))],
        help_text=_("As a fraction: 0.105 is 10.5 %."),
    )
    bulto = models.PositiveIntegerField(_("units per pack"), default=1, validators=[MinValueValidator(1)])
    stock = models.PositiveIntegerField(_("stock"), default=0)
    marca = models.CharField(_("brand"), max_length=100, blank=True, default="")

    class Meta:
        verbose_name = _("list price")
        verbose_name_plural = _("list prices")
        ordering = ["proveedor", "codigo"]
        constraints = [
            models.UniqueConstraint(fields=["proveedor", "codigo"], name="precio_proveedor_codigo_unique"),
            models.CheckConstraint(condition=models.Q(precio__gt=0), name="precio_positive"),
            models.CheckConstraint(condition=models.Q(iva__gte=0, iva__lte=Decimal("1.5")), name="precio_iva_fraction"),
            models.CheckConstraint(condition=models.Q(bulto__gte=1), name="precio_bulto_positive"),
            models.CheckConstraint(condition=~models.Q(codigo="") & ~models.Q(descripcion=""), name="precio_named"),
        ]

    def __str__(self):
        return f"{self.codigo} {self.descripcion}"

    def sale_prices(self, *, divided: bool = False) -> pricing.SalePrices:
        """Prices for sale; ``divided`` when the list price is that of a whole pack."""
        supplier = self.proveedor
        factors = pricing.Factors(
            discount=supplier.descuento_comercial,
            margin=supplier.margen_ganancia,
            cash=supplier.margen_ganancia_efectivo,
            pack=supplier.margen_ganancia_bulto,
        )
        return pricing.sale_prices(self.precio, self.iva, self.bulto, factors, divided=divided)

    @property
    def precio_base(self) -> Decimal:
        """Cost with tax and trade discount, rounded half up to 0.01."""
        return self.sale_prices().base

    @property
    def precio_final(self) -> Decimal:
        """Price of one unit."""
        return self.sale_prices().final

    @property
    def precio_efectivo(self) -> Decimal:
        """Price of one unit paid in cash."""
        return self.sale_prices().cash

    @property
    def precio_bulto(self) -> Decimal:
        """Price of a whole pack."""
        return self.sale_prices().pack
