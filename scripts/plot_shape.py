"""Plots of `cargo xtask bench shape`, from its results.csv.

    python scripts/plot_shape.py target/shape

Writes a PNG for each scenario beside results.csv: answers in time and P99 by
policy, and P99 over the rate where a scenario was run at several. Bars are
medians over seeds, whiskers the smallest and the largest. What was simulated is
hatched.
"""

import csv
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

TIMES = ("simulated", "real")
MOST_RATES_OF_BARS = 2


def rows(file):
    with file.open(newline="") as text:
        read = [row for row in csv.DictReader(text) if not row["void"]]
    # Of runs that were made again the last one counts.
    last = {(row["case"], row["policy"], row["rate"], row["seed"], row["time"]): row for row in read}
    return list(last.values())


def number(text):
    return float(text) if text else None


def spread(runs, figure):
    """Median, and how far it is to the smallest and the largest."""
    values = [value for value in (number(run[figure]) for run in runs) if value is not None]
    if not values:
        return None
    middle = median(values)
    return middle, middle - min(values), max(values) - middle


def bars(axes, runs_by_policy, figure, label):
    policies = list(runs_by_policy)
    for offset, time in enumerate(TIMES):
        for place, policy in enumerate(policies):
            found = spread([run for run in runs_by_policy[policy] if run["time"] == time], figure)
            if found is None:
                continue
            middle, below, above = found
            axes.barh(
                place + 0.4 * offset,
                middle,
                0.38,
                xerr=[[below], [above]],
                color="tab:blue" if policy.startswith("shaper") else "tab:gray",
                hatch="///" if time == "simulated" else None,
                edgecolor="white",
            )
    axes.set_yticks([place + 0.2 for place in range(len(policies))], policies)
    axes.set_xlabel(label)


def by_policy(runs):
    grouped = defaultdict(list)
    for run in runs:
        grouped[run["policy"]].append(run)
    return grouped


def plot_case(case, runs, folder):
    # The rate that most runs have is the scenario's own.
    rates = [run["rate"] for run in runs]
    rate = max(set(rates), key=rates.count)
    usual = by_policy([run for run in runs if run["rate"] == rate])
    figure, (goodput, latency) = pyplot.subplots(1, 2, figsize=(11, 0.6 * len(usual) + 1.6), sharey=True)
    bars(goodput, usual, "goodput", "answers in time, req/s")
    bars(latency, usual, "p99_s", "P99 of answers, s (log)")
    # Both share it.
    goodput.invert_yaxis()
    latency.set_xscale("log")
    in_plain_numbers(latency.xaxis)
    latency.axvline(float(runs[0]["objective_s"]), color="tab:red", linewidth=1)
    figure.suptitle(f"{case} at {float(rate):g}; hatched: simulated; red: the objective")
    save(figure, folder / f"{case}.png")


def plot_rates(case, runs, folder):
    figure, axes = pyplot.subplots(figsize=(8, 5))
    drawn = False
    for policy, of_policy in by_policy(runs).items():
        points = defaultdict(list)
        for run in of_policy:
            points[float(run["rate"])].append(run)
        if len(points) <= MOST_RATES_OF_BARS:
            continue
        drawn = True
        rates = sorted(points)
        axes.plot(rates, [spread(points[rate], "p99_s")[0] for rate in rates], marker="o", label=policy)
    if drawn:
        axes.axhline(float(runs[0]["objective_s"]), color="tab:red", linewidth=1)
        axes.set(xlabel="requests a second", ylabel="P99 of answers, s (log)", yscale="log", title=case)
        in_plain_numbers(axes.yaxis)
        axes.legend()
        save(figure, folder / f"{case}-rates.png")
    pyplot.close(figure)


def in_plain_numbers(axis):
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter("{x:g}")


def save(figure, file):
    figure.tight_layout()
    figure.savefig(file, dpi=110)
    pyplot.close(figure)


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER")
    folder = Path(sys.argv[1])
    cases = defaultdict(list)
    for run in rows(folder / "results.csv"):
        cases[run["case"]].append(run)
    for case, runs in cases.items():
        plot_case(case, runs, folder)
        plot_rates(case, runs, folder)
    print(f"plots of {len(cases)} scenarios in {folder}")


if __name__ == "__main__":
    main()
