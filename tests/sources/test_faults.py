"""What sources do wrong, and what a selection makes of it."""

import threading
import time

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator

WARNING = r"round \d+: source 'bad' "


def numbered(start, stop, density=0.5):
    """Rows of a flag, a number of their own, and a constant."""
    numbers = np.arange(start, stop)
    flags = numbers % 100 < 100 * density
    return np.column_stack([flags, numbers, np.zeros(len(numbers))]).astype(float)


# Without rows at hand, the first batch says what batches are like, whatever it is.
AT_HAND = numbered(-10, 0)


class Schedule:
    """An iterator of items, errors that it raises, and calls that give items."""

    def __init__(self, items):
        self.items = iter(items)
        self.n_given = 0

    def __iter__(self):
        return self

    def __next__(self):
        item = next(self.items)
        if isinstance(item, Exception):
            raise item
        self.n_given += 1
        return item() if callable(item) else item


def late(batch, seconds):
    def give():
        time.sleep(seconds)
        return batch

    return give


def drawn_numbers(selector, name):
    X, _, source = selector.drawn_samples()
    return X[source == name, 1].astype(int).tolist()


def errors_of(selector, name="bad"):
    history = selector.history_
    is_fault = (history["source"] == name) & (history["error"] != "")
    return history["error"][is_fault].tolist()


FAULTS = {
    "raised": (OSError("no answer"), "raised OSError: no answer"),
    "empty": (np.empty((0, 3)), "gave an empty batch"),
    "empty list": ([], "gave an empty batch"),
    "ragged": ([[1.0, 2.0, 3.0], [4.0, 5.0]], "rows of one length"),
    "nan": (np.full((3, 3), np.nan), "missing or infinite values"),
    "more columns": (np.ones((3, 4)), "4 columns where 3 are expected"),
    "fewer columns": (np.ones((3, 2)), "2 columns where 3 are expected"),
    "other library": (pd.DataFrame(np.ones((3, 3))), "pandas.* where .* is expected"),
    "text": ([["a", "b", "c"]], "gave an invalid batch"),
    "no table": ("rows", "must be a table"),
    "labels that are too few": ((np.ones((3, 3)), [0, 1]), "3 rows but 2 labels"),
    "something that cannot be kept": ((i for i in range(3)), "must be a table"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_named_and_the_rows_before_and_after_it_are_kept(
    known_selector, kind
):
    item, message = FAULTS[kind]
    bad = Schedule([numbered(0, 4), item, numbered(4, 9)])
    with pytest.warns(UserWarning, match=WARNING + ".*" + message) as warned:
        selector = known_selector(batch_size=4).fit_sources(
            {"steady": numbered(100, 150), "bad": bad}
        )
    assert len(warned) == 1
    assert "It will be asked again." in str(warned[0].message)
    assert warned[0].filename == __file__
    assert drawn_numbers(selector, "bad") == list(range(9))
    assert sorted(drawn_numbers(selector, "steady")) == list(range(100, 150))
    assert len(errors_of(selector)) == 1
    if kind == "raised":
        assert selector.refused_ == []
    elif kind not in {"empty", "empty list"}:
        [(name, content)] = selector.refused_
        assert name == "bad"
        if kind == "something that cannot be kept":
            assert content == repr(item)
        else:
            assert isinstance(content, type(item))
            assert repr(content) == repr(item)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_source_that_only_fails_is_retired(known_selector, kind):
    item, message = FAULTS[kind]
    bad = Schedule([numbered(0, 4), *[item] * 50])
    with pytest.warns(UserWarning, match=WARNING + ".*" + message) as warned:
        selector = known_selector(batch_size=4, max_failures=3).fit_sources(
            {"steady": numbered(100, 200), "bad": bad}
        )
    assert [str(w.message).endswith("It is not drawn again.") for w in warned] == [
        False,
        False,
        True,
    ]
    assert drawn_numbers(selector, "bad") == [0, 1, 2, 3]
    assert sorted(drawn_numbers(selector, "steady")) == list(range(100, 200))
    assert len(errors_of(selector)) == 3
    assert selector.exhausted_.all()
    assert selector.stop_reason_ == "exhausted"


def test_a_source_that_never_gave_a_row_does_not_stop_the_others(known_selector):
    def bad(_):
        raise OSError("no answer")

    with pytest.warns(UserWarning, match=WARNING):
        selector = known_selector(n_rounds=20).fit_sources(
            {"bad": bad, "steady": lambda n: numbered(0, n)}
        )
    assert len(errors_of(selector)) == 3
    assert selector.ranking_.tolist() == ["steady", "bad"]
    assert np.isnan(selector.overlap_density_[0])
    assert selector.n_samples_drawn_.tolist() == [0, 17 * 32]


def test_others_are_chosen_by_what_is_known_while_one_does_not_begin(known_selector):
    def bad(_):
        raise OSError("no answer")

    with pytest.warns(UserWarning, match=WARNING):
        selector = known_selector(n_rounds=40, max_failures=100).fit_sources(
            {
                "bad": bad,
                "poor": lambda n: numbered(0, n, density=0),
                "rich": lambda n: numbered(0, n, density=1),
            }
        )
    history = selector.history_
    by_index = ~np.isnan(history["index"])
    assert set(history["source"][by_index]) == {"rich"}


def test_no_rows_at_all_is_an_error_that_leaves_the_history(known_selector):
    def bad(_):
        raise OSError("no answer")

    selector = known_selector(max_failures=2)
    with (
        pytest.warns(UserWarning, match=WARNING),
        pytest.raises(ValueError, match=r"sources=\['bad'\] gave no rows"),
    ):
        selector.fit_sources({"bad": bad})
    assert errors_of(selector) == ["source 'bad' raised OSError: no answer"] * 2


def test_success_wipes_out_the_failures_before(known_selector):
    items = [OSError(), OSError(), numbered(0, 4)] * 4
    bad = Schedule(
        [
            numbered(4 * (i // 3), 4 * (i // 3) + 4) if i % 3 == 2 else item
            for i, item in enumerate(items)
        ]
    )
    with pytest.warns(UserWarning, match=WARNING):
        selector = known_selector(batch_size=4, max_failures=3).fit_sources(
            {"bad": bad, "steady": numbered(100, 200)}
        )
    assert drawn_numbers(selector, "bad") == list(range(16))
    assert len(errors_of(selector)) == 8


def test_a_source_rests_longer_after_every_failure(known_selector):
    def bad(_):
        raise OSError("no answer")

    with pytest.warns(UserWarning, match=WARNING):
        selector = known_selector(n_rounds=20, max_failures=4).fit_sources(
            {"steady": lambda n: numbered(0, n), "bad": bad}
        )
    [rounds] = np.nonzero(selector.history_["source"] == "bad")
    assert np.diff(rounds).tolist() == [2, 3, 4]


def test_rows_that_come_late_come_once(known_selector):
    released = threading.Event()

    def bad():
        yield numbered(0, 4)
        released.wait(60)
        yield numbered(4, 8)

    def steady(n):
        n_calls.append(n)
        if len(n_calls) == 5:
            released.set()
        return numbered(100, 100 + n)

    n_calls = []
    with pytest.warns(UserWarning, match=WARNING + "stalled: .*timeout=0.05 seconds"):
        selector = known_selector(
            batch_size=4, timeout=0.05, max_failures=100, n_rounds=40
        ).fit_sources({"steady": steady, "bad": bad()})
    assert drawn_numbers(selector, "bad") == list(range(8))


def test_a_source_that_stalls_for_good_is_retired(known_selector):
    released = threading.Event()

    def bad(_):
        released.wait(60)

    with pytest.warns(UserWarning, match=WARNING + "stalled") as warned:
        selector = known_selector(timeout=0.02, n_rounds=15).fit_sources(
            {"bad": bad, "steady": lambda n: numbered(0, n)}
        )
    released.set()
    assert len(warned) == 3
    assert selector.exhausted_.tolist() == [True, False]
    assert selector.n_samples_drawn_.tolist() == [0, 12 * 32]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("max_failures", [1, 100])
def test_an_interrupt_of_a_late_call_stops_the_run_whose_rows_are_kept(
    known_selector, error, max_failures
):
    goes_on = threading.Event()
    n_steady = []

    def bad(_):
        if goes_on.is_set():
            return numbered(0, 4)
        goes_on.wait(60)
        raise error

    def steady(n):
        n_steady.append(n)
        if len(n_steady) == 3:
            goes_on.set()
        time.sleep(0.01)
        return numbered(100, 100 + n)

    selector = known_selector(
        timeout=0.5, max_failures=max_failures, n_rounds=1_000, warm_start=True
    )
    sources = {"bad": bad, "steady": steady}
    with pytest.warns(UserWarning, match="stalled"), pytest.raises(error):
        selector.fit_sources(sources)
    n_before = len(n_steady)
    assert n_before < 500
    assert selector.n_samples_drawn_.tolist() == [0, sum(n_steady)]
    selector.set_params(n_rounds=n_before + 5).fit_sources(sources)
    assert selector.exhausted_.tolist() == [max_failures == 1, False]
    assert (selector.n_samples_drawn_[0] > 0) == (max_failures > 1)
    assert selector.n_samples_drawn_[1] == sum(n_steady)


@pytest.mark.parametrize("kind", ["callable", "iterator"])
def test_too_few_rows_and_an_early_end_are_no_fault(known_selector, kind):
    batches = iter([numbered(0, 2), numbered(2, 3), numbered(3, 6)])
    bad = batches if kind == "iterator" else lambda _: next(batches, None)
    selector = known_selector(batch_size=8).fit_sources(
        {"steady": numbered(100, 140), "bad": bad}
    )
    assert drawn_numbers(selector, "bad") == list(range(6))
    assert errors_of(selector) == []
    assert selector.n_samples_drawn_.tolist() == [40, 6]
    assert selector.exhausted_.all()


def test_missing_values_are_for_a_detector_that_takes_them(known_selector):
    X = numbered(0, 40)
    detector = HistGradientBoostingClassifier(max_iter=1, min_samples_leaf=2).fit(
        X, np.where(X[:, 0] > 0.5, "overlap", "easy")
    )
    X[::3, 2] = np.nan
    selector = known_selector(
        overlap_detector=FrozenEstimator(detector), batch_size=8
    ).fit_sources({"holes": [X[:20], X[20:]]})
    assert drawn_numbers(selector, "holes") == list(range(40))


@pytest.mark.parametrize(
    "first",
    [np.full((3, 5), np.nan), pd.DataFrame(np.full((3, 5), np.nan)), "rows"],
)
def test_a_batch_that_was_refused_does_not_set_the_form_of_batches(
    known_selector, first
):
    with pytest.warns(UserWarning, match=WARNING):
        selector = known_selector().fit_sources(
            {"bad": iter([first]), "steady": numbered(0, 40)}
        )
    assert selector.n_features_in_ == 3
    assert sorted(drawn_numbers(selector, "steady")) == list(range(40))


def test_rows_at_hand_set_the_form_of_batches(known_selector):
    with pytest.warns(UserWarning, match="5 columns where 3 are expected"):
        selector = known_selector().fit_sources(
            {"bad": iter([np.ones((4, 5))]), "steady": numbered(0, 40)},
            numbered(200, 210),
        )
    assert selector.n_samples_drawn_.tolist() == [0, 40]


def test_names_that_no_table_may_have_are_a_fault(known_selector):
    frame = pd.DataFrame(np.ones((3, 3)), columns=["a", 1, "c"])
    with pytest.warns(UserWarning, match=WARNING + "gave an invalid batch: Feature"):
        selector = known_selector().fit_sources(
            {"bad": iter([frame]), "steady": numbered(0, 40)}
        )
    assert selector.n_samples_drawn_.tolist() == [0, 40]


def test_a_source_may_add_others_while_it_stalls(known_selector):
    sources = {}

    def first(n):
        name = f"new {len(sources)}"
        sources[name] = numbered(100 * len(sources), 100 * len(sources) + 10)
        time.sleep(0.002)
        return numbered(0, n)

    sources["first"] = first
    with pytest.warns(UserWarning):  # noqa: PT030
        known_selector(
            timeout=0.001, max_failures=1000, batch_size=5, n_rounds=60
        ).fit_sources(sources)
    assert len(sources) > 1


# A thousand faults


def faulty_schedule(rng, numbers, density, n_faults, n_stalls):
    """Return items of numbered rows among faults of every kind, in random order."""
    batches = np.split(
        numbers, np.sort(rng.integers(0, len(numbers), len(numbers) // 4))
    )
    batches = [numbered(b[0], b[-1] + 1, density) for b in batches if len(b)]
    kinds = rng.permutation(np.resize(list(FAULTS), n_faults))
    items = batches + [FAULTS[kind][0] for kind in kinds]
    # Batches stay in order, so that it can be seen whether rows do.
    is_fault = rng.permutation(len(items)) < n_faults
    faults, rows = iter(items[len(batches) :]), iter(batches)
    items = [next(faults) if fault else next(rows) for fault in is_fault]
    [places] = np.nonzero(~is_fault)
    for place in rng.choice(places, n_stalls, replace=False):
        items[place] = late(items[place], 0.03)
    return items


@pytest.mark.parametrize("seed", [0, 1])
def test_a_thousand_faults_lose_no_row_and_double_none(known_selector, seed):
    rng = np.random.default_rng(seed)
    densities = {"a": 0.1, "b": 0.6, "c": 0.3, "short": 0.8}
    sizes = {"a": 800, "b": 800, "c": 800, "short": 40}
    sources, numbers = {}, {}
    for i, (name, density) in enumerate(densities.items()):
        numbers[name] = 10_000 * i + np.arange(sizes[name])
        items = faulty_schedule(rng, numbers[name], density, n_faults=250, n_stalls=3)
        sources[name] = Schedule(items)

    with pytest.warns(UserWarning, match="source"):
        selector = known_selector(
            batch_size=4, timeout=0.01, max_failures=10_000
        ).fit_sources(sources, AT_HAND)

    for name in sources:
        assert drawn_numbers(selector, name) == numbers[name].tolist()
    faults = selector.history_["error"][selector.history_["error"] != ""]
    assert len(faults) >= 1000
    for kind in ("raised", "stalled", "empty", "ragged|one length", "missing"):
        assert any(word in error for error in faults for word in kind.split("|"))
    kept = sum(kind not in {"raised", "empty", "empty list"} for kind in FAULTS)
    assert len(selector.refused_) >= 1000 // len(FAULTS) * kept

    calm = known_selector(batch_size=4).fit_sources(
        {
            name: [numbered(rows[0], rows[-1] + 1, densities[name])]
            for name, rows in numbers.items()
        },
        AT_HAND,
    )
    assert_array_equal(selector.ranking_, calm.ranking_)
    assert_array_equal(selector.overlap_density_, calm.overlap_density_)
    assert_array_equal(selector.n_samples_drawn_, calm.n_samples_drawn_)


def test_faults_do_not_change_which_source_is_drawn_most(known_selector):
    rng = np.random.default_rng(0)
    densities = {"a": 0.1, "b": 0.6, "c": 0.3}
    sources = {
        name: Schedule(
            faulty_schedule(
                rng, 10_000 * i + np.arange(3000), density, n_faults=300, n_stalls=0
            )
        )
        for i, (name, density) in enumerate(densities.items())
    }
    with pytest.warns(UserWarning, match="source"):
        selector = known_selector(
            batch_size=8, budget=1500, max_failures=10_000
        ).fit_sources(sources, AT_HAND)
    assert selector.ranking_.tolist() == ["b", "c", "a"]
    drawn = dict(zip(selector.sources_, selector.n_samples_drawn_, strict=True))
    assert drawn["b"] > 0.6 * 1500
    for name in sources:
        numbers = drawn_numbers(selector, name)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
