"""The filter language of job lists: what it understands, and how it answers what it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.job_filter import STATES, FilterError, Sort, Term, parse
from store.jobs import TERMINAL, UNFINISHED

NOW = 1_000_000.0


def one(text: str) -> Term:
    """The only term of a filter."""
    (term,) = parse(text, lambda: NOW).terms
    return term


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("state:failed", Term("state", ":", ("Failed",))),
        ("status:Completed,run", Term("state", ":", ("Completed", "Running"))),
        ("-is:queued", Term("state", ":", ("Queued",), negated=True)),
        ("state!=failed", Term("state", ":", ("Failed",), negated=True)),
        ("state:f", Term("state", ":", ("Failed",))),
        ("state:cancel", Term("state", ":", ("Canceled",))),
        ("exp:iris", Term("exp", ":", ("iris",))),
        ('exp:"my iris"', Term("exp", ":", ("my iris",))),
        ("metric.accuracy>0.9", Term("metric", ">", ("0.9",), "accuracy", number=0.9)),
        ('metric."val loss"<=1e-3', Term("metric", "<=", ("1e-3",), "val loss", number=0.001)),
        ("param.optimizer=adam", Term("param", "=", ("adam",), "optimizer")),
        ("since:2d", Term("since", ":", ("2d",), number=NOW - 2 * 86400)),
        ("before:90m", Term("before", ":", ("90m",), number=NOW - 5400)),
        ("duration>10m", Term("duration", ">", ("10m",), number=600.0)),
        ("duration>1h02m", Term("duration", ">", ("1h02m",), number=3720.0)),
        ("param.model=mlp,cnn", Term("param", "=", ("mlp", "cnn"), "model")),
        ("tag:x=y", Term("tag", ":", ("x=y",))),
        ("tag:x", Term("tag", ":", ("x",))),
        ("owl", Term("", ":", ("owl",))),
        ("-owl", Term("", ":", ("owl",), negated=True)),
        ("'brave owl'", Term("", ":", ("brave owl",))),
    ],
)
def test_a_term_is_understood(text: str, term: Term) -> None:
    assert one(text) == term


def test_every_state_can_be_asked_for() -> None:
    assert set(STATES) == {*UNFINISHED, *TERMINAL}
    for state in STATES:
        assert one(f"state:{state.casefold()}").values == (state,)


def test_terms_and_an_order_stand_side_by_side() -> None:
    found = parse("state:failed exp:iris  text sort:-metric.accuracy")
    assert [term.key for term in found.terms] == ["state", "exp", ""]
    assert found.sort == Sort("metric", True, "accuracy")
    assert str(found.sort) == "-metric.accuracy"
    assert [parse(f"sort:{key}").sort for key in ("age", "-age")] == [Sort("created", True), Sort("created", False)]


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("stat:failed", 1, "Did you mean 'state'"),
        ("exp:iris state:faild", 10, "Did you mean 'Failed'"),
        ("metric.acc>high", 1, "no number"),
        ("metric>1", 1, "which metric"),
        ("since:yesterday", 1, "no time"),
        ("exp:", 1, "needs a value"),
        ("x 'open", 3, "not closed"),
        ("sort:nmae", 1, "Did you mean 'name'"),
        ("exp>iris", 1, "not compared"),
        ("archived:maybe", 1, "archived"),
        ("duration>10parsec", 1, "no length of time"),
        ("metric.loss>0.1,0.2", 1, "one value"),
        ("since:2d,3d", 1, "one value"),
        ("metric.loss=0.1,high", 1, "no number"),
        ("metric.loss>nan", 1, "neither more nor less"),
    ],
)
def test_a_fault_names_its_place_and_the_nearest_right_word(text: str, column: int, says: str) -> None:
    with pytest.raises(FilterError) as refused:
        parse(text)
    assert refused.value.column == column
    assert says in str(refused.value)


@given(st.text(max_size=60))
def test_any_text_is_understood_or_answered(text: str) -> None:
    try:
        found = parse(text)
    except FilterError as error:
        assert 1 <= error.column <= len(text)
        assert error.hint
    else:
        assert found.terms or found.sort or not text.strip()


@given(st.text(alphabet=st.characters(exclude_characters="'\"", exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_a_quoted_value_is_taken_as_it_is(value: str) -> None:
    assert one(f'name:"{value}"').values == (value,)
