"""The shop's pages, as JSON."""

import json

from celery import chain
from celery.result import AsyncResult
from django.db import transaction
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders.models import Order, Product
from orders.tasks import add_up, confirm, raise_all_prices


@csrf_exempt
@require_POST
def place(request):
    """Place an order. The order and its jobs are written together: both are there, or neither is."""
    asked = json.loads(request.body)
    with transaction.atomic():
        order = Order.objects.create(customer=asked["customer"])
        order.products.set(Product.objects.filter(name__in=asked["products"]))
        job = chain(add_up.s(order.pk), confirm.s(order.pk)).delay()
        if order.products.count() < len(asked["products"]):
            transaction.set_rollback(True)
            return JsonResponse({"error": "We do not sell all of that."}, status=400)
    return JsonResponse({"order": order.pk, "job": job.id}, status=201)


def show(request, pk):
    """An order as it stands."""
    order = get_object_or_404(Order, pk=pk)
    return JsonResponse({"confirmed": order.confirmed, "total": order.total})


@csrf_exempt
@require_POST
def raise_prices(request):
    """Start the job over all products; a second click while it runs gets the same job."""
    job = raise_all_prices.delay(**json.loads(request.body))
    return JsonResponse({"job": job.id}, status=202)


def job(request, pk):
    """What Celery says of a job."""
    result = AsyncResult(str(pk))
    return JsonResponse({"state": result.state, "result": result.result if result.successful() else None})
