"""Writes SciPy's statistics of paired scores: src/scores/stats/fixtures/statistics.json.

Scores are shares of 277 rows and decimals, with ties, zeros and equal differences among them.
"""

import json
import pathlib

import numpy
from scipy import stats

OUT = pathlib.Path(__file__).parents[2] / "src/scores/stats/fixtures/statistics.json"


def pair(first, second):
    a, b = numpy.array(first), numpy.array(second)
    t = stats.ttest_rel(a, b)
    interval = t.confidence_interval(0.95)
    return {
        "first": list(first),
        "second": list(second),
        "mean": float(numpy.mean(a - b)),
        "low": float(interval.low),
        "high": float(interval.high),
        "p": float(t.pvalue),
        "effect": float(numpy.mean(a - b) / numpy.std(a - b, ddof=1)),
    }


def holm(p):
    order = numpy.argsort(p, kind="stable")
    out, least = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        least = max(least, min(1.0, (len(p) - rank) * p[i]))
        out[i] = least
    return out


random = numpy.random.default_rng(0)
rows = lambda count: [round(x * 277) / 277 for x in random.uniform(0.6, 0.8, count)]
p = [0.01, 0.04, 0.03, 0.005, 0.2, 0.9]
try:
    from statsmodels.stats.multitest import multipletests

    assert numpy.allclose(multipletests(p, method="holm")[1], holm(p))
except ImportError:
    pass
found = {
    "pairs": [
        pair([0.71, 0.69, 0.73, 0.7, 0.72], [0.7, 0.66, 0.71, 0.7, 0.69]),
        pair([0.5, 0.61, 0.58], [0.52, 0.6, 0.5]),
        *[pair(rows(n), rows(n)) for n in (2, 5, 8, 12)],
        pair([1 / 277 * k for k in (180, 182, 185, 181, 190)], [1 / 277 * k for k in (179, 181, 186, 179, 187)]),
    ],
    "quantiles": [[n, float(stats.t.ppf(0.975, n))] for n in (1, 2, 3, 4, 9, 12, 13, 30, 1000)],
    "holm": {"p": p, "corrected": holm(p)},
}
OUT.write_text(json.dumps(found, indent=1) + "\n")
