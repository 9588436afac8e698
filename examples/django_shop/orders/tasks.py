"""The shop's background work: two ordinary Celery tasks, and a job that goes on where it stopped."""

import logging
import time
from decimal import Decimal

from celery import shared_task
from django.db.models import Sum

from faena import job
from orders.models import Order, Product

logger = logging.getLogger(__name__)


@shared_task
def add_up(order_id):
    """The order's total."""
    order = Order.objects.get(pk=order_id)
    order.total = order.products.aggregate(sum=Sum("price"))["sum"] or Decimal(0)
    order.save(update_fields=["total"])
    return str(order.total)


@shared_task(autoretry_for=(ConnectionError,), max_retries=3, default_retry_delay=60)
def confirm(total, order_id):
    """Tell the customer; tried again when the mail server is away."""
    order = Order.objects.get(pk=order_id)
    send_mail(order.customer, f"Your order {order_id}: {total}")
    Order.objects.filter(pk=order_id).update(confirmed=True)


def send_mail(to, text):
    """Stands in for a mail server."""
    logger.info("To %s: %s", to, text)


@job(title="Raise prices by {percent} %", unique="prices")
def raise_all_prices(run, percent: int, pause: float = 0.0):
    """Every product exactly once, whatever happens: each list of products commits together with the job's place."""
    ids = Product.objects.order_by("pk").values_list("pk", flat=True)
    for batch in run.each(ids, total=len(ids), batch=10):
        for product in Product.objects.filter(pk__in=batch):
            product.price = (product.price * (100 + percent) / 100).quantize(Decimal("0.01"))
            product.save(update_fields=["price"])
        check_margins(batch)
        time.sleep(pause)  # so that there is something to see, and to interrupt
    return run.summary()


def check_margins(product_ids):
    """Stands in for work that takes its time."""
