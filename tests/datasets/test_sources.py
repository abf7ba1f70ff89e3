"""Sources have the density they say, and rows that no way of drawing changes."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from sklearn_w2s.datasets import make_overlap_classification, make_overlap_sources

LARGE = 20_000
SMALL = {"n_easy_features": 2, "n_hard_features": 3}

densities = st.lists(st.floats(0, 1), min_size=1, max_size=4)
batches = st.lists(st.integers(1, 12), min_size=1, max_size=6)
# Each kind draws its regions in a way of its own.
KINDS = {
    "finite": {"n_samples": 40},
    "endless": {"n_samples": None},
    "drifting": {"n_samples": None, "drift": 20.0},
    "finite and drifting": {"n_samples": 40, "drift": -5.0},
}
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def count(regions):
    return [int(np.sum(regions == name)) for name in ("easy", "hard", "overlap")]


def one_source(density=0.4, **arguments):
    arguments = {"random_state": 0, **SMALL, **arguments}
    return make_overlap_sources([density], **arguments)["source_0"]


def assert_same_rows(first, second):
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one, other)


# Density


@given(densities=densities, n=st.integers(1, 60), seed=st.integers(0, 9))
def test_a_finite_source_holds_exactly_its_share_of_overlap_rows(densities, n, seed):
    sources = make_overlap_sources(densities, n_samples=n, random_state=seed, **SMALL)
    assert list(sources) == [f"source_{k}" for k in range(len(densities))]
    for density, source in zip(densities, sources.values(), strict=True):
        n_easy, n_hard, n_overlap = count(source.draw(n)[2])
        assert n_easy + n_hard + n_overlap == n
        assert n_overlap == round(n * density)
        assert n_easy - n_hard in {0, 1}
        assert source.overlap_density() == n_overlap / n


@pytest.mark.parametrize("n_samples", [LARGE, None])
def test_any_stretch_of_a_source_has_its_density_and_halves_of_the_rest(n_samples):
    source = one_source(0.3, n_samples=n_samples)
    for _ in range(2):
        shares = np.array(count(source.draw(LARGE // 2)[2])) / (LARGE // 2)
        np.testing.assert_allclose(shares, [0.35, 0.35, 0.3], atol=0.02)


@pytest.mark.parametrize(("density", "drift"), [(0.0, 50.0), (0.8, -30.0), (0.3, 0.0)])
def test_the_density_drifts_by_so_much_in_1000_rows_within_its_bounds(density, drift):
    source = one_source(density, n_samples=None, drift=drift)
    stated = [source.overlap_density(at) for at in range(60)]
    expected = [min(max(density + drift * at / 1000, 0), 1) for at in range(60)]
    assert stated == pytest.approx(expected)


def test_the_density_is_that_of_the_next_row_unless_one_is_named():
    source = one_source(0.0, n_samples=None, drift=10.0)
    for _ in range(3):
        assert source.overlap_density() == source.overlap_density(source.n_drawn)
        source(7)
    assert source.overlap_density() == pytest.approx(0.21)


@pytest.mark.parametrize("n_samples", [LARGE, None])
def test_drifting_rows_follow_the_density_stated(n_samples):
    source = one_source(0.0, n_samples=n_samples, drift=1000 / LARGE)
    for _ in range(10):
        first = source.n_drawn
        regions = source.draw(LARGE // 10)[2]
        middle = source.overlap_density((first + source.n_drawn) // 2)
        assert np.mean(regions == "overlap") == pytest.approx(middle, abs=0.04)
    n_easy, n_hard, _ = count(one_source(0, n_samples=LARGE, drift=1).draw(LARGE)[2])
    assert n_easy / (n_easy + n_hard) == pytest.approx(0.5, abs=0.1)


def test_a_certain_density_is_met_at_the_very_row():
    regions = one_source(0.0, n_samples=5, drift=1000.0).draw(5)[2]
    assert regions[0] != "overlap"
    assert (regions[1:] == "overlap").all()


def test_sizes_and_drifts_are_those_of_each_source():
    sources = make_overlap_sources(
        (0.1, 0.2, 0.3), n_samples=(5, None, 7), drift=(0, 1, -1), random_state=0
    )
    assert [source.n_samples for source in sources.values()] == [5, None, 7]
    moved = [source.overlap_density(1000) for source in sources.values()]
    # Of five rows a share of 0.1 is none.
    assert moved == [0, 1, 0]


# Drawing


@kinds
@given(batches=batches)
def test_rows_do_not_depend_on_the_sizes_of_batches(kind, batches):
    whole = one_source(**kind).draw(sum(batches))
    source = one_source(**kind)
    parts = [source.draw(n) for n in batches]
    assert_same_rows(whole, [np.concatenate(part) for part in zip(*parts, strict=True)])
    assert source.n_drawn == len(whole[0])


@kinds
def test_a_call_is_a_draw_without_the_truth(kind):
    called, drawn = one_source(**kind), one_source(**kind)
    assert_same_rows(called(15), drawn.draw(15)[:2])
    assert called.n_drawn == drawn.n_drawn == 15


@pytest.mark.parametrize("drift", [0.0, 3.0])
@given(batches=batches)
def test_a_finite_source_gives_all_its_rows_and_then_none(drift, batches):
    source = one_source(n_samples=25, drift=drift)
    sizes = []
    for n in [*batches, 20, 20]:
        left = 25 - source.n_drawn
        batch = source(n)
        sizes.append(0 if batch is None else len(batch[0]))
        assert sizes[-1] == min(n, left)
    assert sum(sizes) == source.n_drawn == 25
    assert source(1) is None
    X, y, regions = source.draw(1)
    assert (X.shape, y.shape, regions.shape) == ((0, 5), (0,), (0,))
    assert 0 <= source.overlap_density() <= 1


@kinds
def test_sources_do_not_depend_on_the_order_in_which_they_are_drawn(kind):
    arguments = {"random_state": 3, **SMALL, **kind}
    alone = [
        make_overlap_sources((0.2, 0.6), **arguments)[name].draw(20)
        for name in ("source_0", "source_1")
    ]
    sources = make_overlap_sources((0.2, 0.6), **arguments)
    mixed = {name: [] for name in sources}
    for name in ["source_1", "source_0", "source_0", "source_1"]:
        mixed[name].append(sources[name].draw(10))
    for whole, parts in zip(alone, mixed.values(), strict=True):
        joined = [np.concatenate(part) for part in zip(*parts, strict=True)]
        assert_same_rows(whole, joined)


def test_a_source_does_not_depend_on_those_listed_after_it():
    few = make_overlap_sources((0.2, 0.6), random_state=0)
    many = make_overlap_sources((0.2, 0.6, 0.9), random_state=0)
    for name, source in few.items():
        assert_same_rows(source.draw(30), many[name].draw(30))


def test_sources_of_one_density_hold_different_rows():
    first, second = make_overlap_sources((0.5, 0.5), random_state=0).values()
    assert not np.isin(first(200)[0][:, 0], second(200)[0][:, 0]).all()
    assert (first.draw(50)[2] != second.draw(50)[2]).any()


def test_the_seed_decides():
    rng = np.random.RandomState(0)
    seeds = (0, 0, 1, rng, rng)
    first, again, other, same, later = (
        one_source(random_state=seed).draw(30) for seed in seeds
    )
    assert_same_rows(first, again)
    assert_same_rows(first, same)
    for different in (other, later):
        assert (first[0] != different[0]).any()


@kinds
@pytest.mark.parametrize(
    "copied", [lambda source: pickle.loads(pickle.dumps(source)), copy.deepcopy]
)
def test_a_copy_made_in_the_middle_continues_with_the_same_rows(kind, copied):
    source = one_source(**kind)
    source.draw(13)
    twin = copied(source)
    assert twin.n_drawn == 13
    # More than is left of the finite ones.
    assert_same_rows(source.draw(50), twin.draw(50))


# Rows


def test_all_sources_and_one_call_of_the_classification_share_their_centres():
    arguments = {"n_classes": 3, "noise": 0.0, "random_state": 5, **SMALL}
    draws = [
        make_overlap_classification(200, overlap_density=1, **arguments),
        *(
            source.draw(200)
            for source in make_overlap_sources((1, 1), **arguments).values()
        ),
    ]
    centers = [
        [np.unique(X[y == label], axis=0).tolist() for label in range(3)]
        for X, y, _ in draws
    ]
    assert [len(rows) for rows in centers[0]] == [1, 1, 1]
    assert centers[0] == centers[1] == centers[2]


def test_what_is_learned_of_one_source_is_true_of_another():
    arguments = {"n_classes": 4, "noise": 0.5, "random_state": 0}
    first, second = make_overlap_sources((0.9, 0.2), **arguments).values()
    X, y, regions = first.draw(1000)
    strong = LogisticRegression().fit(X[regions == "overlap"], y[regions == "overlap"])
    X, y, regions = second.draw(1000)
    assert strong.score(X[regions == "overlap"], y[regions == "overlap"]) > 0.98


@kinds
def test_a_row_is_exactly_zero_in_the_block_it_does_not_carry(kind):
    X, y, regions = one_source(n_classes=3, **kind).draw(40)
    assert set(y) == {0, 1, 2}
    assert ((X[:, :2] == 0).all(axis=1) == (regions == "hard")).all()
    assert ((X[:, 2:] == 0).all(axis=1) == (regions == "easy")).all()


def test_noise_absent_noise_and_class_weights_are_those_asked_for():
    arguments = {"noise": 2.0, "absent_noise": 0.5, "class_weights": [0.2, 0.8]}
    X, y, regions = one_source(0.5, n_samples=None, **arguments).draw(LARGE)
    assert y.mean() == pytest.approx(0.8, abs=0.02)
    present = X[(regions == "overlap") & (y == 1)]
    np.testing.assert_allclose(present.std(axis=0), 2, rtol=0.05)
    absent = X[regions == "hard", :2]
    assert absent.mean() == pytest.approx(0, abs=0.02)
    assert absent.std() == pytest.approx(0.5, rel=0.05)
    # Centres of different classes differ, so noise is measured within one.
    assert np.abs(np.corrcoef(present.T) - np.eye(5)).max() < 0.05


def test_types_are_those_of_the_classification():
    for ours, theirs in zip(
        one_source().draw(5), make_overlap_classification(5), strict=True
    ):
        assert ours.dtype == theirs.dtype


# Refusals


@pytest.mark.parametrize(
    ("name", "named", "value", "wrong"),
    [
        ("overlap_densities", "overlap_densities[1]", (0.1, 1.5), 1.5),
        ("overlap_densities", "overlap_densities[0]", (float("nan"),), float("nan")),
        ("overlap_densities", "overlap_densities", (), ()),
        ("overlap_densities", "overlap_densities", 0.5, 0.5),
        ("n_samples", "n_samples", 0, 0),
        ("n_samples", "n_samples", 10.0, 10.0),
        ("n_samples", "n_samples", (1, 2, 3), (1, 2, 3)),
        ("n_samples", "n_samples[1]", (None, -1), -1),
        ("n_samples", "n_samples", "10", "10"),
        ("drift", "drift", None, None),
        ("drift", "drift", float("inf"), float("inf")),
        ("drift", "drift[0]", (float("nan"), 0), float("nan")),
        ("drift", "drift", (0.1,), (0.1,)),
        ("n_easy_features", "n_easy_features", 0, 0),
        ("n_hard_features", "n_hard_features", 1.5, 1.5),
        ("n_classes", "n_classes", 1, 1),
        ("noise", "noise", -1, -1),
        ("absent_noise", "absent_noise", float("nan"), float("nan")),
        ("class_weights", "class_weights", [0.5, 0.6], [0.5, 0.6]),
    ],
)
def test_a_bad_argument_is_named_with_its_value(name, named, value, wrong):
    with pytest.raises(ValueError, match=r"must be|must") as caught:
        make_overlap_sources(**{name: value})
    assert str(caught.value).startswith(f"{named}={wrong!r} must be ")


@pytest.mark.parametrize("n", [0, -1, 2.0, None, "3"])
def test_a_bad_number_of_rows_is_refused_and_draws_nothing(n):
    source = one_source()
    for draw in (source, source.draw):
        with pytest.raises(ValueError, match=f"^n={n!r} must be an integer"):
            draw(n)
    assert source.n_drawn == 0
    assert_same_rows(source.draw(9), one_source().draw(9))


@pytest.mark.parametrize("at", [-1, 0.5, "0"])
def test_a_density_is_asked_for_at_a_row(at):
    with pytest.raises(ValueError, match=f"^at={at!r} must be an integer"):
        one_source().overlap_density(at)
