"""Recomputes the statistics of comparisons with SciPy: python3 comparison.py TABLE.json...

From the scores of the runs alone: means, deviations, 95 % intervals, paired t tests, effects, and Holm's
correction. Fails with the first value that differs by more than rounding.
"""

import json
import math
import sys

import numpy
from scipy import stats

# Sums are in another order, and a quantile differs in its last digits.
TOLERANCE = 1e-9


def same(what, ours, theirs):
    if ours is None and theirs is None:
        return 1
    if ours is None or theirs is None or not math.isclose(ours, theirs, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
        raise SystemExit(f"{what}: the table has {ours}, SciPy {theirs}")
    return 1


def half(values):
    return stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)


def holm(p):
    known = [i for i in numpy.argsort([2 if x is None else x for x in p], kind="stable") if p[i] is not None]
    corrected, least = [None] * len(p), 0.0
    for rank, i in enumerate(known):
        least = max(least, min(1.0, (len(known) - rank) * p[i]))
        corrected[i] = least
    return corrected


def check_row(row, scores):
    checked = 0
    for score in scores:
        values = numpy.array([run["scores"][score] for run in row["runs"]])
        found = row["scores"][score]
        name = f"{row['row']}, {score}"
        checked += same(f"{name}, mean", found["mean"], values.mean())
        if len(values) > 1:
            checked += same(f"{name}, deviation", found["deviation"], values.std(ddof=1))
            checked += same(f"{name}, interval", found["half"], half(values))
    return checked


def expected_test(first, second, score):
    by_seed = [{run["seed"]: run["scores"][score] for run in row["runs"]} for row in (first, second)]
    seeds = [run["seed"] for run in first["runs"] if run["seed"] in by_seed[1]]
    if len(seeds) < 2:
        return None
    a, b = (numpy.array([of[seed] for seed in seeds]) for of in by_seed)
    differences = numpy.round(a - b, 9)
    varies = len(set(differences)) > 1
    return {
        "mean": (a - b).mean(),
        "half": half(a - b),
        "effect": (a - b).mean() / (a - b).std(ddof=1) if varies else None,
        "p": stats.ttest_rel(a, b).pvalue if varies else None,
    }


def check_tests(task):
    score = task["scores"][0]
    rows, tests = {row["row"]: row for row in task["rows"]}, task["tests"]
    pairs = [(a, b) for i, a in enumerate(rows) for b in list(rows)[i + 1 :]]
    expected = {pair: expected_test(*(rows[name] for name in pair), score) for pair in pairs}
    expected = {pair: test for pair, test in expected.items() if test}
    if [(test["first"], test["second"]) for test in tests] != list(expected):
        raise SystemExit(f"{task['task']}: other pairs than {list(expected)}")
    for test, value in zip(expected.values(), holm([test["p"] for test in expected.values()])):
        test["holm"] = value
    checked = 0
    for test, other in zip(tests, expected.values()):
        name = f"{test['first']} – {test['second']}"
        for key in ("mean", "half"):
            checked += same(f"{name}, {key}", test["difference"].get(key), other[key])
        for key in ("effect", "p", "holm"):
            checked += same(f"{name}, {key}", test.get(key), other[key])
    return checked


for path in sys.argv[1:]:
    with open(path) as file:
        tasks = json.load(file)["tasks"]
    checked = sum(check_row(row, task["scores"]) for task in tasks for row in task["rows"] if row["runs"])
    checked += sum(check_tests(task) for task in tasks)
    print(f"{path}: {checked} values are SciPy's")
