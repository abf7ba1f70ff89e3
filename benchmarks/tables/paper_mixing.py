"""The mixing experiment of the paper on real tables, and which regime each falls in.

Rows of the curves that are there already are not computed again, so that a run that was
stopped goes on. Per data set and pair of estimators: a quarter of at most 3,000 rows is
held out, 500 labels are for the weak estimator, and the other rows, the pool, get weak
labels and regions. The student learns from as many of them at each share of overlap
rows. Of the three curves, "plain" draws as many rows as all shares allow, "matched"
draws weak labels that are equally good at all shares, and "plain, as few" draws plainly
as few rows as those.
"""

import warnings
from collections import Counter, defaultdict

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from benchmarks.tables._problems import data_folder, read_table
from benchmarks.tables._protocols import data_sets, half_of_columns
from benchmarks.tables._results import as_they_end, read, write
from benchmarks.tables._results import options as parse
from sklearn_w2s import OverlapDetector
from sklearn_w2s._tabular import TabularEncoder, default_weak_estimator
from sklearn_w2s.metrics import (
    gap_regime,
    overlap_regime,
    performance_gap_recovered,
)
from sklearn_w2s.model_selection import overlap_curve

SHARES = np.linspace(0, 1, 11).round(1)
MOST_ROWS, N_LABELED, TEST_SHARE = 3000, 500, 0.25
# A curve on fewer rows says nothing of the share of overlap rows.
FEWEST_ROWS = 20
N_SEEDS = 3
QUICK_SETS = ["german_credit", "heart_disease"]
RUN = ["data_set", "pair", "seed"]
KEYS = [*RUN, "curve", "overlap_share"]
PLAIN, PLAIN_AS_FEW, MATCHED = CURVES = ["plain", "plain, as few", "matched"]
# Of the pool, whatever is drawn from it.
LINES = ["overlap_density", "weak", "weak_to_strong_all_rows", "ceiling_all_rows"]
SCORES = [
    *LINES,
    *("weak_to_strong", "ceiling", "weak_label_accuracy"),
    *("n_samples", "n_classes_drawn"),
]
REGIMES = ["low", "medium", "high", "undefined"]
PAIRS = {
    "half of the columns, boosting": HistGradientBoostingClassifier(
        learning_rate=0.2,
        max_iter=30,
        max_leaf_nodes=8,
        min_samples_leaf=5,
        random_state=0,
    ),
    # In the paper C is 0.01 and the variance of a feature about 5, here it is 1.
    "half of the columns, shrunken regression": LogisticRegression(
        C=0.05, max_iter=1000
    ),
    "tree of depth 3, forest": RandomForestClassifier(30, random_state=0),
}
TREE = DecisionTreeClassifier(max_depth=3, random_state=0)


def curves(folder, entry, pair, seed):
    """Return a row for each curve and share."""
    # That there is no change point, or one class only, is what the status says.
    warnings.simplefilter("ignore")
    X, y, *_ = read_table(folder, entry)
    run = entry["name"], pair, seed
    return rows_of_curves(one_seed(X, y, pair, seed), run, y.max() + 1)


def rows_of_curves(curves, run, n_classes):
    """Return a row for each curve and share, of scores and a status of each curve."""
    rows = []
    for curve, found in curves.items():
        for position, share in enumerate(SHARES):
            key = [*map(str, run), curve, f"{share:.1f}"]
            row = dict(zip(KEYS, key, strict=True))
            for name in SCORES:
                values = np.broadcast_to(found[name], len(SHARES))
                row[name] = _text(values[position], 0 if name[:2] == "n_" else 4)
            rows.append(row | {"n_classes": n_classes, "status": found["status"]})
    return rows


def one_seed(X, y, pair, seed):
    """Return scores and a status for each curve, on rows that the seed draws."""
    rows = np.arange(len(y))
    if len(y) > MOST_ROWS:
        rows, _ = _part(rows, MOST_ROWS, y, seed)
    X, y = X.iloc[rows], y[rows]
    test, train = _part(np.arange(len(y)), TEST_SHARE, y, seed)
    taught, pool = _part(train, min(N_LABELED, len(train) // 2), y, seed)
    half = half_of_columns(X, seed)
    rows, n_seen = encode(X, half, train)
    if pair.startswith("half"):
        weak = make_pipeline(_first(n_seen), LogisticRegression(max_iter=1000))
        detector = OverlapDetector(
            default_weak_estimator(), weak_features=half, random_state=seed
        )
    else:
        weak = clone(TREE)
        tree = make_pipeline(TabularEncoder(categories="ordinal"), clone(TREE))
        detector = OverlapDetector(tree, random_state=seed)
    detector.fit(X.iloc[np.r_[taught, pool]], np.r_[y[taught], np.full(len(pool), -1)])
    regions = detector.predict(X)
    weak.fit(rows[taught], y[taught])
    return score(weak, PAIRS[pair], (rows, y, regions), pool, test, seed)


def encode(X, half, train):
    """Return the table as numbers, those of the half first, and how many these are."""
    others = [column for column in X if column not in set(half)]
    parts = [
        TabularEncoder().fit(X.iloc[train][columns]).transform(X[columns])
        for columns in (half, others)
    ]
    return np.hstack(parts), parts[0].shape[1]


def score(weak, strong, data, pool, test, seed):
    """Return what the lines of the pool and each of the curves are."""
    rows, y, regions = data
    lines = {"overlap_density": np.mean(regions[pool] == "overlap")}
    lines["weak"] = weak.score(rows[test], y[test])
    for name, labels in (
        ("weak_to_strong", weak.predict(rows[pool])),
        ("ceiling", y[pool]),
    ):
        if len(np.unique(labels)) == 1:
            # All that can be learned is this class.
            lines[f"{name}_all_rows"] = np.mean(y[test] == labels[0])
            continue
        student = clone(strong).fit(rows[pool], labels)
        lines[f"{name}_all_rows"] = student.score(rows[test], y[test])
    settings = {
        "cv": [(pool, test)],
        # The weak estimator is fitted already and needs no more rows; the fewest
        # that hold all classes are set apart for it all the same.
        "weak_size": max(0.02, (y.max() + 2) / len(pool)),
        "random_state": seed,
    }
    found = {}
    for curve in (PLAIN, MATCHED, PLAIN_AS_FEW):
        if curve == PLAIN_AS_FEW:
            settings["n_samples"] = found[MATCHED]["n_samples"]
        settings["matched"] = curve == MATCHED
        found[curve] = lines | mix(FrozenEstimator(weak), strong, data, settings)
    return found


def mix(weak, strong, data, settings):
    """Return the scores of one curve, NaN with the reason where it is impossible."""
    missing = dict.fromkeys([name for name in SCORES if name not in LINES], np.nan)
    if np.isnan(settings.get("n_samples", FEWEST_ROWS)):
        return missing | {"status": "no matched curve"}
    try:
        curve = overlap_curve(
            weak, strong, *data, overlap_shares=SHARES, n_repeats=1, **settings
        )
    except ValueError as error:
        reason = str(error).partition("impossible: ")[2]
        if not reason:
            raise
        return missing | {"status": reason.partition(". ")[0]}
    if curve["n_samples"] < FEWEST_ROWS:
        return missing | {"status": f"all shares allow {curve['n_samples']} rows"}
    student = curve["weak_to_strong_score"][:, 0]
    collapsed = SHARES[np.isnan(student)]
    return {
        "weak_to_strong": student,
        "ceiling": curve["ceiling_score"][:, 0],
        "weak_label_accuracy": curve["weak_label_accuracy"][:, 0],
        "n_samples": curve["n_samples"],
        "n_classes_drawn": (curve["class_share"][:, 0] > 0).sum(axis=1),
        "status": f"labels of one class from {collapsed[0]}"
        if len(collapsed)
        else "ok",
    }


def by_data_set(rows):
    """Return a row per data set and pair: gaps recovered, regimes and slopes."""
    groups = defaultdict(lambda: defaultdict(list))
    for row in rows:
        groups[row["data_set"], row["pair"]][row["curve"]].append(row)
    return [
        {"data_set": data_set, "pair": pair, **describe(own)}
        for (data_set, pair), own in groups.items()
    ]


def describe(own):
    """Return what the curves of a data set and pair say."""
    plain, few, matched = (_columns(own[curve]) for curve in CURVES)
    student = plain["weak_to_strong"]
    weak, ceiling = plain["weak"][0], plain["ceiling_all_rows"][0]
    best = None if np.isnan(student).all() else int(np.nanargmax(student))
    gaps = {f"gap_recovered_at_{SHARES[i]:g}": student[i] for i in (0, 5, -1)}
    gaps["gap_recovered_at_best"] = np.nan if best is None else student[best]
    gaps["gap_recovered_all_rows"] = plain["weak_to_strong_all_rows"][0]
    gaps = {name: _gap(weak, score, ceiling) for name, score in gaps.items()}
    of_best = gaps["gap_recovered_at_best"]
    same_rows = np.nan if best is None else plain["ceiling"][best]
    density = plain["overlap_density"][0]
    slopes = {
        "slope": _slope(student),
        "slope_of_ceiling": _slope(plain["ceiling"]),
        "slope_as_few": _slope(few["weak_to_strong"]),
        "slope_matched": _slope(matched["weak_to_strong"]),
    }
    return {
        "n_classes": own[PLAIN][0]["n_classes"],
        "overlap_density": _text(density, 3),
        "overlap_regime": overlap_regime(density),
        "n_samples": _text(plain["n_samples"][0], 0),
        "n_samples_matched": _text(matched["n_samples"][0], 0),
        "weak": _text(weak, 3),
        "ceiling": _text(ceiling, 3),
        "ceiling_same_rows": _text(same_rows, 3),
        "best_share": "" if best is None else SHARES[best],
        **{name: _text(gap, 2) for name, gap in gaps.items()},
        "gap_regime": gap_regime(of_best),
        "gap_regime_same_rows": gap_regime(_gap(weak, _best(student), same_rows)),
        **{name: _text(slope, 3) for name, slope in slopes.items()},
        "weak_labels_at_0": _text(plain["weak_label_accuracy"][0], 3),
        "weak_labels_at_1": _text(plain["weak_label_accuracy"][-1], 3),
        "n_classes_at_1": _text(plain["n_classes_drawn"][-1], 1),
        "n_seeds": len({row["seed"] for row in own[PLAIN]}),
        "status": _status(own[PLAIN]),
        "status_matched": _status(own[MATCHED]),
    }


def summarise(table, rng):
    """Return a row per quantity: its value for each pair, and for all of them."""
    table = pd.DataFrame(table)
    texts = ["data_set", "pair", "overlap_regime", "gap_regime", "gap_regime_same_rows"]
    numbers = table.columns.drop([*texts, "status", "status_matched"])
    table[numbers] = table[numbers].apply(pd.to_numeric)
    groups = [*table.groupby("pair", sort=False), ("all", table)]
    of_pairs = {pair: _quantities(group, rng) for pair, group in groups}
    return [
        {"quantity": name} | {pair: values[name] for pair, values in of_pairs.items()}
        for name in of_pairs["all"]
    ]


def _quantities(table, rng):
    both = table.dropna(subset=["slope_as_few", "slope_matched"])
    few, matched = both["slope_as_few"], both["slope_matched"]
    density, slope = table["overlap_density"], table["slope"]
    labels = table["weak_labels_at_1"] - table["weak_labels_at_0"]
    gains = {
        share: table[f"gap_recovered_at_{share}"] for share in ("0", "0.5", "1", "best")
    }
    slopes = {
        "slope": slope,
        "slope of ceiling": table["slope_of_ceiling"],
        "slope, as few rows": few,
        "slope, matched": matched,
        "slope lost by matching": few - matched,
        "gain of weak labels from share 0 to 1": labels,
    }
    return {
        "data sets": table["data_set"].nunique(),
        "curves": slope.notna().sum(),
        "matched curves": len(both),
        "seeds per curve": f"{table['n_seeds'].min()} to {table['n_seeds'].max()}",
        "gap regimes": _counts(table["gap_regime"]),
        "gap regimes, ceiling on the same rows": _counts(table["gap_regime_same_rows"]),
        **{
            f"gap regimes at {regime} density": _counts(
                table["gap_regime"][table["overlap_regime"] == regime]
            )
            for regime in REGIMES[:3]
        },
        **{
            f"median gap recovered at share {share}": _text(gain.median(), 2)
            for share, gain in gains.items()
        },
        "median gap recovered on all rows": _text(
            table["gap_recovered_all_rows"].median(), 2
        ),
        "rank correlation, density and gap at best share": _spearman(
            density, gains["best"]
        ),
        "rank correlation, density and slope": _spearman(density, slope),
        "rank correlation, gain of weak labels and slope": _spearman(labels, slope),
        "rising curves": _share(slope),
        "rising curves, as few rows": _share(few),
        "rising curves, matched": _share(matched),
        **{name: _interval(values, table, rng) for name, values in slopes.items()},
    }


def _counts(regimes):
    return ", ".join(f"{(regimes == name).sum()} {name}" for name in REGIMES)


def _share(slopes):
    return f"{(slopes > 0).sum()} of {slopes.notna().sum()}"


def _interval(values, table, rng, n_draws=2000):
    """Return the mean and its 95% interval, drawing data sets with all their pairs."""
    means = values.groupby(table["data_set"]).mean().dropna().to_numpy()
    if not len(means):
        return ""
    # Drawn whole, for the pairs of a data set have its rows in common.
    draws = rng.choice(means, size=(n_draws, len(means))).mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return f"{means.mean():+.3f} [{low:+.3f}, {high:+.3f}]"


def _spearman(first, second):
    known = first.notna() & second.notna()
    if known.sum() < 3:
        return ""
    return f"{spearmanr(first[known], second[known]).statistic:.2f}"


def _part(rows, size, y, seed):
    """Draw rows stratified by class; return them and the others."""
    return train_test_split(rows, train_size=size, stratify=y[rows], random_state=seed)


def _first(n_columns):
    """Show the first columns only."""
    return ColumnTransformer([("seen", "passthrough", slice(0, n_columns))])


def _status(rows):
    """Return what holds on how many seeds, unless all is well."""
    of_seeds = {row["seed"]: row["status"] for row in rows}
    counts = Counter(of_seeds.values())
    if set(counts) == {"ok"}:
        return "ok"
    return "; ".join(
        f"{status} ({n} of {len(of_seeds)} seeds)"
        for status, n in sorted(counts.items())
    )


def _columns(rows):
    """Return the scores of a curve at each share, means of the seeds that allow it."""
    return {
        name: np.array([_mean(rows, name, f"{share:.1f}") for share in SHARES])
        for name in SCORES
    }


def _mean(rows, name, share):
    values = [
        float(row[name]) for row in rows if row["overlap_share"] == share and row[name]
    ]
    return np.mean(values) if values else np.nan


def _slope(scores):
    """Return the least-squares rise of the accuracy from share 0 to share 1."""
    known = ~np.isnan(scores)
    if known.sum() < 3:
        return np.nan
    return np.polyfit(SHARES[known], scores[known], 1)[0]


def _best(scores):
    return np.nan if np.isnan(scores).all() else np.nanmax(scores)


def _gap(weak, score, ceiling):
    return performance_gap_recovered(weak, score, ceiling, zero_division=np.nan)


def _text(value, digits):
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def main(arguments=None):
    """Compute the curves that are missing, then the tables that follow from them."""
    options = parse(__doc__.partition("\n")[0], arguments)
    path = options.out / "paper_mixing_curves.csv"
    folder = data_folder()
    entries = data_sets(folder)["views"]
    if options.quick:
        entries = [entry for entry in entries if entry["name"] in QUICK_SETS]
    rows = read(path)
    done = {tuple(row[key] for key in RUN) for row in rows}
    tasks = [
        (folder, entry, pair, seed)
        for seed in range(1 if options.quick else N_SEEDS)
        for entry in entries
        for pair in PAIRS
        if (entry["name"], pair, str(seed)) not in done
    ]
    for found in as_they_end(curves, tasks, jobs=options.jobs):
        rows += found
        write(path, rows)
    rows.sort(key=lambda row: [str(row[key]) for key in KEYS])
    write(path, rows)
    table = by_data_set(rows)
    write(options.out / "paper_mixing.csv", table)
    summary = summarise(table, np.random.default_rng(0))
    write(options.out / "paper_mixing_summary.csv", summary)


if __name__ == "__main__":
    main()
