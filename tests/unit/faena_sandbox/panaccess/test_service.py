"""The stand-in answers as the notes say that PanAccess does."""

from __future__ import annotations

import hashlib
import json

import pytest

from faena_sandbox.panaccess.behaviour import FAULTS, FUNCTIONS, Behaviour, Fault
from faena_sandbox.panaccess.dataset import Dataset
from faena_sandbox.panaccess.service import NO_PERMISSION, PanAccess

LIST = FUNCTIONS[0]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def panaccess(clock) -> PanAccess:
    return PanAccess(Dataset(2_500), Behaviour(), clock)


def ask(panaccess: PanAccess, function: str, **form: object) -> dict:
    return json.loads(panaccess.call(function, {name: str(value) for name, value in form.items()}).body)


def login(panaccess: PanAccess, **changes: str) -> dict:
    own = panaccess.behaviour
    digest = hashlib.md5((own.password + own.salt).encode()).hexdigest()
    return ask(
        panaccess, "login", **{"username": own.username, "password": digest, "apiToken": own.api_token} | changes
    )


@pytest.fixture
def session(panaccess) -> str:
    return login(panaccess)["answer"]


def ids(panaccess: PanAccess, session: str, **form: object) -> list[int]:
    answer = ask(panaccess, LIST, sessionId=session, orderBy="recordId", **form)["answer"]
    return [record["recordId"] for record in answer["telemetryRecordEntries"]]


def filtered(*rules: tuple[str, int]) -> str:
    listed = [{"field": "recordId", "op": op, "data": str(value)} for op, value in rules]
    return json.dumps({"groupOp": "AND", "filters": [{"groupOp": "AND", "rules": listed}]})


def test_a_login_answers_the_session_itself(panaccess, session):
    assert len(session) == 32
    assert ask(panaccess, "cvLoggedIn", sessionId=session)["answer"] is True
    ask(panaccess, "cvLogout", sessionId=session)
    assert ask(panaccess, "cvLoggedIn", sessionId=session)["answer"] is False


@pytest.mark.parametrize("field", ["username", "password", "apiToken"])
def test_a_wrong_login(panaccess, field):
    answer = login(panaccess, **{field: "wrong"})
    assert (answer["success"], answer["answer"]) == (False, "false")


def test_twenty_logins_in_five_minutes_and_no_more(panaccess, clock):
    assert all(login(panaccess)["success"] for _ in range(20))
    assert login(panaccess)["success"] is False
    clock.now = 301
    assert login(panaccess)["success"] is True
    assert panaccess.state()["most_logins_in_window"] == 21


def test_an_expired_session_says_what_a_lack_of_rights_says(panaccess, clock, session):
    clock.now = 3601
    assert ask(panaccess, LIST, sessionId=session)["errorMessage"] == NO_PERMISSION
    fresh = login(panaccess)["answer"]
    assert ask(panaccess, LIST, sessionId=fresh)["success"] is True
    panaccess.behaviour.has_rights = False
    assert ask(panaccess, LIST, sessionId=fresh)["errorMessage"] == NO_PERMISSION


def test_a_session_is_over_after_so_many_calls(panaccess, session):
    panaccess.behaviour.session_calls = 2
    assert [ask(panaccess, LIST, sessionId=session, limit=1)["success"] for _ in range(3)] == [True, True, False]


def test_limit_is_lowered_to_a_thousand(panaccess, session):
    assert len(ids(panaccess, session, limit=5_000)) == 1_000
    assert len(ids(panaccess, session, limit=7)) == 7


def test_pages_by_offset_in_both_directions(panaccess, session):
    assert ids(panaccess, session, offset=3, limit=2, orderDir="ASC") == [4, 5]
    top = panaccess.dataset.highest_id
    assert ids(panaccess, session, offset=0, limit=2, orderDir="DESC") == [top, top - 1]
    assert ids(panaccess, session, offset=2_400, limit=1_000) == [
        panaccess.dataset.id_of(i) for i in range(2_400, 2_500)
    ]
    assert ids(panaccess, session, offset=9_999) == []


def test_rows_that_arrive_shift_the_pages_of_the_newest(panaccess, session):
    panaccess.behaviour.arrivals_per_page = 3
    first = ids(panaccess, session, offset=0, limit=10, orderDir="DESC")
    second = ids(panaccess, session, offset=10, limit=10, orderDir="DESC")
    assert set(first) & set(second) == set(first[-3:])


def test_filters(panaccess, session):
    assert ids(panaccess, session, newFilters=filtered(("gt", 10)), limit=2) == [11, 12]
    assert ids(panaccess, session, newFilters=filtered(("ge", 10), ("le", 12))) == [10, 11, 12]
    assert ids(panaccess, session, newFilters=filtered(("gt", 10**9))) == []


def test_filters_that_are_ignored(panaccess, session):
    panaccess.behaviour.honours_filters = False
    assert ids(panaccess, session, newFilters=filtered(("gt", 10)), limit=2) == [1, 2]


@pytest.mark.parametrize(
    "form",
    [
        {"newFilters": "{"},
        {"newFilters": filtered(("like", 1))},
        {"newFilters": '{"groupOp": "OR"}'},
        {"orderBy": "mood"},
        {"limit": "many"},
        {"limit": 0},
    ],
)
def test_what_it_does_not_take(panaccess, session, form):
    assert ask(panaccess, LIST, sessionId=session, **form)["errorCode"] == "invalid_parameter"


def test_only_one_of_the_names_exists(panaccess, session):
    panaccess.behaviour.function = FUNCTIONS[2]
    assert [ask(panaccess, name, sessionId=session)["success"] for name in FUNCTIONS] == [False, False, True, False]


@pytest.mark.parametrize("kind", FAULTS)
def test_faults_happen_as_often_as_asked(panaccess, session, kind):
    panaccess.faults.append(Fault(kind, times=2, after=1))

    def is_well() -> bool:
        reply = panaccess.call(LIST, {"sessionId": session, "limit": "5"})
        try:
            return reply.status == 200 and json.loads(reply.body)["success"]
        except ValueError:
            return False

    assert [is_well() for _ in range(4)] == [True, False, False, True]
