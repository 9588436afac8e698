"""What the shop sells, and what was ordered."""

from django.db import models


class Product(models.Model):
    name = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=10, decimal_places=2)

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    customer = models.EmailField()
    products = models.ManyToManyField(Product)
    confirmed = models.BooleanField(default=False)
    total = models.DecimalField(max_digits=10, decimal_places=2, null=True)

    def __str__(self) -> str:
        return f"Order {self.pk}"
