"""What figures of the findings draw alike, on tables and on texts."""

import matplotlib.pyplot as plt

POLICIES = {
    "oracle": ("oracle", "#000000", ":"),
    "kl_ucb": ("kl_ucb, the default", "#D55E00", "-"),
    "reference": ("the authors' code", "#0072B2", "--"),
    "paper": ("the paper", "#56B4E9", "-."),
    "random": ("random", "#888888", "-"),
}
CURVES = {
    "plain, as few": ("weak labels as they are", "#0072B2", "-"),
    "matched": ("weak labels equally good", "#D55E00", "--"),
}
# More of them would hide each other.
BANDS = ("kl_ucb", "random")


def draw_mixing(means):
    """Draw the gain by share of overlap rows, for each pair; means of data sets."""
    figure, axes = plt.subplots(
        1, 3, sharey=True, figsize=(6.8, 3.6), layout="constrained"
    )
    for ax, (pair, own) in zip(axes, means.groupby(level="pair"), strict=True):
        for curve, (label, color, dashes) in CURVES.items():
            line = own.xs(curve, level="curve").groupby(level="overlap_share")
            mean, error = line.mean(), line.sem()
            ax.plot(mean.index, mean, dashes, color=color, lw=2, label=label)
            band = mean - error, mean + error
            ax.fill_between(mean.index, *band, color=color, alpha=0.2, lw=0)
        ax.axhline(0, color="0.5", lw=0.8)
        ax.set_title(pair.replace(", ", ",\n"), fontsize="medium")
        ax.set_xlabel("share of overlap rows")
    axes[0].set_ylabel("points over the weak estimator")
    lines, labels = axes[0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside upper center", ncols=2, frameon=False)


def draw_rounds(table, problems):
    """Draw density and accuracy by round, for each problem a column."""
    shape = {"sharex": True, "figsize": (6.8, 5.4), "layout": "constrained"}
    figure, axes = plt.subplots(2, len(problems), **shape)
    for column, problem in zip(axes.T, problems, strict=True):
        for policy, (label, color, dashes) in POLICIES.items():
            own = table[(table["problem"] == problem) & (table["policy"] == policy)]
            for ax, score in zip(column, ["density", "accuracy"], strict=True):
                style = {"color": color, "ls": dashes, "lw": 1.8, "label": label}
                ax.plot(own["round"], own[score], **style)
                if policy not in BANDS:
                    continue
                band = own[f"{score}_low"], own[f"{score}_high"]
                ax.fill_between(own["round"], *band, color=color, alpha=0.15, lw=0)
        column[0].set_title(problem, fontsize="medium")
        column[1].set_xlabel("round")
    axes[0, 0].set_ylabel("overlap density so far")
    axes[1, 0].set_ylabel("accuracy")
    lines, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside upper center", ncols=3, frameon=False)
