"""Density collected by all policies on the same rewards, and regret in the long run."""

import sys

import numpy as np

from benchmarks.tables._bandits import POLICIES, SETTINGS, density_collected
from benchmarks.tables._results import RESULTS, write
from sklearn_w2s._algorithms.bandit import fair_share_level, kl_ucb_index

RESULT = RESULTS / "bandit.csv"
REGRET = RESULTS / "bandit_regret.csv"
N_RUNS = 200
N_LONG_RUNS, LONG_BATCH = 100, 10
MARKS = [1_000, 10_000, 100_000, 1_000_000]
LONG_DENSITIES = {
    "paper": (0.08, 0.44),
    "close": (0.30, 0.36),
    "5 sources": (0.05, 0.1, 0.15, 0.2, 0.3),
    "10 sources": (0.1,) * 9 + (0.2,),
}


def collected(setting):
    """Return the densities of all runs, by policy."""
    densities = {name: np.zeros(N_RUNS) for name in POLICIES}
    for run in range(N_RUNS):
        streams = setting.streams(np.random.default_rng(run))
        for name, (kind, params) in POLICIES.items():
            chooser = kind(setting, run, **params)
            densities[name][run] = density_collected(
                setting, streams, chooser, first_rounds=name != "oracle"
            )
    return densities


def compare():
    """Return a row per setting and policy."""
    rows = []
    for setting in SETTINGS:
        densities = collected(setting)
        ours = densities["kl_ucb"]
        for name, own in densities.items():
            lead = ours - own
            rows.append(
                {
                    "setting": setting.name,
                    "policy": name,
                    "density": f"{own.mean():.4f}",
                    "sd": f"{own.std(ddof=1):.4f}",
                    "share_of_oracle": f"{own.mean() / densities['oracle'].mean():.3f}",
                    "lead_of_kl_ucb": f"{lead.mean():+.4f}",
                    "error_of_lead": f"{lead.std(ddof=1) / np.sqrt(N_RUNS):.4f}",
                    "n_runs": N_RUNS,
                }
            )
            print(*rows[-1].values(), sep=", ", flush=True)
    return rows


def lai_robbins(densities):
    r"""Return the sum of :math:`\Delta / \mathrm{kl}` over the inferior sources."""
    p, best = np.array(densities), max(densities)
    kl = p * np.log(p / best) + (1 - p) * np.log((1 - p) / (1 - best))
    gap = best - p
    return float((gap[gap > 0] / kl[gap > 0]).sum())


class LongRuns:
    """Many runs of both policies side by side: every arm of every run is one entry.

    The m-th round of an arm gives the same in both policies.
    """

    def __init__(self, seed=0):
        rng = np.random.default_rng(seed)
        sizes = [len(d) for d in LONG_DENSITIES.values() for _ in range(N_LONG_RUNS)]
        density = np.concatenate(
            [np.tile(d, N_LONG_RUNS) for d in LONG_DENSITIES.values()]
        )
        n_rounds = MARKS[-1] // LONG_BATCH
        self._rewards = np.empty((len(density), n_rounds), dtype=np.int8)
        for own, p in zip(self._rewards, density, strict=True):
            own[:] = rng.binomial(LONG_BATCH, p, size=n_rounds)
        self._stream = np.tile(np.arange(len(density)), 2)
        self._n_arms = np.tile(np.repeat(sizes, sizes), 2)
        sizes = np.tile(sizes, 2)
        # Runs as rows of a table, padded on the right.
        columns = np.arange(max(sizes))
        starts = np.cumsum(sizes) - sizes
        self._is_arm = columns < sizes[:, None]
        self._arm = np.where(self._is_arm, starts[:, None] + columns, 0)
        self.density = np.tile(density, 2)
        self.pulls = np.ones(len(self.density), dtype=int)
        self.found = self._rewards[self._stream, 0].astype(float)
        self._n_first = sizes
        self.n_rounds = min(sizes)

    def play(self):
        """Draw a round in every run whose first rounds are over."""
        drawn = self.pulls * LONG_BATCH
        half = len(drawn) // 2
        t = LONG_BATCH * self.n_rounds
        level = np.full(len(drawn), np.log(t))
        level[:half] = fair_share_level(t, drawn[:half], self._n_arms[:half])
        index = kl_ucb_index(self.found, drawn, level)
        table = np.where(self._is_arm, index[self._arm], -1)
        chosen = self._arm[np.arange(len(table)), table.argmax(axis=1)]
        chosen = chosen[self._n_first <= self.n_rounds]
        self.found[chosen] += self._rewards[self._stream[chosen], self.pulls[chosen]]
        self.pulls[chosen] += 1
        self.n_rounds += 1

    def excess(self):
        """Return regret beyond the first rounds: by policy, setting and run."""
        best = np.where(self._is_arm, self.density[self._arm], 0).max(axis=1)
        lost = best[:, None] - self.density[self._arm]
        n_more = LONG_BATCH * (self.pulls[self._arm] - 1)
        excess = np.where(self._is_arm, lost * n_more, 0).sum(axis=1)
        return excess.reshape(2, len(LONG_DENSITIES), N_LONG_RUNS)


def long_runs():
    """Return a row per policy, setting and number of rows."""
    runs, rows = LongRuns(), []
    for mark in MARKS:
        while runs.n_rounds < mark // LONG_BATCH:
            runs.play()
        for policy, by_setting in zip(
            ["kl_ucb", "KL-UCB at log t"], runs.excess(), strict=True
        ):
            for (name, p), excess in zip(
                LONG_DENSITIES.items(), by_setting, strict=True
            ):
                constant = lai_robbins(p)
                floor = LONG_BATCH * (max(p) - np.array(p)).sum()
                rows.append(
                    {
                        "setting": name,
                        "policy": policy,
                        "n_rows": mark,
                        "regret": f"{floor + excess.mean():.1f}",
                        "floor": f"{floor:.1f}",
                        "excess": f"{excess.mean():.1f}",
                        "sd": f"{excess.std(ddof=1):.1f}",
                        "largest": f"{excess.max():.1f}",
                        "lai_robbins": f"{constant:.2f}",
                        "ratio": f"{excess.mean() / constant / np.log(mark):.2f}",
                        "n_runs": N_LONG_RUNS,
                    }
                )
                print(*rows[-1].values(), sep=", ", flush=True)
    order = [*LONG_DENSITIES]
    return sorted(rows, key=lambda row: (order.index(row["setting"]), row["policy"]))


def side_by_side(rows):
    """Return a row per policy and a column per setting, mean and spread."""
    table = {}
    for row in rows:
        cells = table.setdefault(row["policy"], {"policy": row["policy"]})
        cells[row["setting"]] = f"{row['density']} ({row['sd']})"
    return list(table.values())


def main():
    """Write both tables, or the one that is named: density or regret."""
    chosen = sys.argv[1:] or ["density", "regret"]
    if "density" in chosen:
        rows = compare()
        write(RESULT, rows)
        write(RESULT.with_stem("bandit_density"), side_by_side(rows))
    if "regret" in chosen:
        write(REGRET, long_runs())


if __name__ == "__main__":
    main()
