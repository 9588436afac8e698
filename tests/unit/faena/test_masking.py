from celery import shared_task

from faena import job
from faena.masking import MASK, masked, masked_args, unmasked


@shared_task(name="masking.login", bind=True)
def login(self, user, password, *tokens, retries=0): ...


@job(name="masking.sign")
def sign(run, api_key, text): ...


def test_values_under_secret_names_are_replaced_at_any_depth():
    found = masked({"PASSWORD": "a", "list": [{"access_token": "b", "client_secret": {"c": 1}}], "key": "d"})
    assert found == {"PASSWORD": MASK, "list": [{"access_token": MASK, "client_secret": MASK}], "key": MASK}


def test_everything_else_stays():
    value = {"keyboard": "qwerty", "rows": [1, None, True], "monkey": "banana", "password": None, "text": "token"}
    assert masked(value) == value


def test_what_was_left_hidden_is_put_back():
    before = {"shop": 1, "token": "t", "deep": [{"password": "p", "rows": [1]}]}
    shown = masked(before)
    assert unmasked(shown, before) == before
    shown["shop"], shown["deep"][0]["password"] = 2, "new"
    assert unmasked(shown, before) == {"shop": 2, "token": "t", "deep": [{"password": "new", "rows": [1]}]}
    assert unmasked({"token": MASK, "more": [MASK]}, {}) == {"token": MASK, "more": [MASK]}


def test_arguments_by_place_are_known_by_their_parameters():
    assert masked_args("masking.login", ["bob", "hunter2", "t1", "t2"]) == ["bob", MASK, MASK, MASK]
    assert masked_args("masking.login", ["bob"]) == ["bob"]
    assert masked_args("masking.sign", ["abc", {"token": "x"}, "more than it takes"]) == [
        MASK, {"token": MASK}, "more than it takes"
    ]  # fmt: skip


def test_arguments_of_a_task_that_is_not_known_here_are_shown():
    assert masked_args("masking.gone", ["bob", "hunter2", {"password": "p"}]) == ["bob", "hunter2", {"password": MASK}]


def test_what_was_left_hidden_is_put_back_by_place():
    assert unmasked(["eve", MASK, MASK], ["bob", "hunter2"]) == ["eve", "hunter2", MASK]
