"""How a project tests its jobs: no broker, no worker, Django's own TestCase."""

import json
from decimal import Decimal
from unittest import mock

from django.test import TestCase

from faena.ledger import hold
from faena.testing import assert_enqueued, drain, eager, fake_worker
from orders.models import Order, Product
from orders.tasks import add_up, confirm, raise_all_prices


class Orders(TestCase):
    @classmethod
    def setUpTestData(cls):
        Product.objects.create(name="Yerba", price=Decimal("4.50"))
        Product.objects.create(name="Mate", price=Decimal("12.00"))

    def place(self, *products):
        body = json.dumps({"customer": "ana@example.com", "products": products})
        return self.client.post("/orders/", body, content_type="application/json")

    def test_an_order_is_added_up_and_confirmed(self):
        placed = self.place("Yerba", "Mate").json()
        assert_enqueued(add_up, order_id=placed["order"], times=1)
        drain()
        order = self.client.get(f"/orders/{placed['order']}/").json()
        self.assertEqual(order, {"confirmed": True, "total": "16.50"})
        self.assertEqual(self.client.get(f"/jobs/{placed['job']}/").json()["state"], "SUCCESS")

    def test_what_is_rolled_back_leaves_no_job(self):
        self.assertEqual(self.place("Yerba", "Facturas").status_code, 400)
        self.assertEqual(Order.objects.count(), 0)
        assert_enqueued(add_up, times=0)

    def test_at_once(self):
        with eager():
            order = self.place("Mate").json()["order"]
        self.assertTrue(Order.objects.get(pk=order).confirmed)

    def test_the_mail_server_is_away_for_a_while(self):
        order = self.place("Mate").json()["order"]
        with mock.patch("orders.tasks.send_mail", side_effect=ConnectionError("no route")):
            drain()
        (job,) = assert_enqueued(confirm, order_id=order)
        self.assertEqual((job.state, job.attempt, job.error["message"]), ("pending", 1, "no route"))
        drain(skip_waiting=True)
        self.assertTrue(Order.objects.get(pk=order).confirmed)


class Prices(TestCase):
    @classmethod
    def setUpTestData(cls):
        Product.objects.bulk_create(Product(name=f"Product {n}", price=100) for n in range(30))

    def assert_raised_once(self):
        self.assertEqual(set(Product.objects.values_list("price", flat=True)), {Decimal("110.00")})

    def test_a_killed_worker_raises_no_price_twice(self):
        raise_all_prices.delay(percent=10)
        with fake_worker() as worker:
            with mock.patch("orders.tasks.check_margins") as check:
                check.side_effect = lambda batch: worker.crash() if check.call_count == 3 else None
                killed = worker.run_next()
            self.assertEqual((killed.state, killed.done, killed.crashes), ("pending", 20, 1))
            self.assertEqual(worker.run_next().state, "completed")
        self.assert_raised_once()

    def test_it_goes_on_where_it_was_paused(self):
        raise_all_prices.delay(percent=10)
        (job,) = assert_enqueued(raise_all_prices)
        with fake_worker() as worker:
            with mock.patch("orders.tasks.check_margins", side_effect=lambda batch: hold.pause(job.pk)):
                paused = worker.run_next()
            self.assertEqual((paused.state, paused.done), ("paused", 10))
            hold.resume(job.pk)
            worker.run_next()
        self.assert_raised_once()
