"""Writes src/baselines/fixtures/linear-probe.json: linear models of scikit-learn on standardized features.

    python scripts/oracle/linear_probe.py && npx biome format --write src/baselines/fixtures
"""

import json
import pathlib

import numpy
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, Ridge
from sklearn.preprocessing import StandardScaler

OUT = pathlib.Path(__file__).parents[2] / "src/baselines/fixtures/linear-probe.json"
ROWS, WIDTH = 60, 5
STRENGTHS = [1e-3, 1e-2, 1e-1, 1]

rng = numpy.random.default_rng(0)
# Rounded to what the file stores, so that both sides fit the same numbers.
features = (3 + rng.normal(size=(ROWS, WIDTH)) * [1, 2, 3, 4, 5]).astype(numpy.float32).round(4)
noise = rng.normal(size=(ROWS, 3))
latent = (features - 3) @ rng.normal(size=(WIDTH, 3)) / 4 + noise
folds = [[row for row in range(ROWS) if row % 4 == fold] for fold in range(4)]
splits = [([row for row in range(ROWS) if row % 4 != fold], folds[fold]) for fold in range(4)]
x = StandardScaler().fit_transform(features.astype(numpy.float64))


def chosen(targets):
    model = LogisticRegressionCV(
        Cs=STRENGTHS, cv=splits, scoring="neg_log_loss", tol=1e-10, max_iter=10000, l1_ratios=(0,), use_legacy_attributes=False
    ).fit(x, targets)
    # The mean loss of each strength over the folds, which are equally large.
    losses = [
        numpy.mean(
            [
                -LogisticRegression(C=c, tol=1e-10, max_iter=10000)
                .fit(x[train], targets[train])
                .predict_log_proba(x[held])[range(len(held)), targets[held]]
                .mean()
                for train, held in splits
            ]
        )
        for c in STRENGTHS
    ]
    return float(model.C_), losses, model.decision_function(x)


def squared(targets):
    losses = []
    for c in STRENGTHS:
        errors = [
            (Ridge(alpha=1 / c).fit(x[train], targets[train]).predict(x[held]) - targets[held]) ** 2 / 2 for train, held in splits
        ]
        losses.append(float(numpy.mean(numpy.concatenate(errors))))
    best = STRENGTHS[int(numpy.argmin(losses))]
    return best, losses, Ridge(alpha=1 / best).fit(x, targets).predict(x)


three = latent.argmax(1)
two = (latent[:, 0] > 0).astype(int)
cases = [("softmax", 3, three, chosen(three)), ("sigmoid", 1, two, chosen(two)), ("squared", 1, latent[:, 1].round(4), None)]
cases[2] = ("squared", 1, cases[2][2], squared(cases[2][2]))
OUT.write_text(
    json.dumps(
        {
            "width": WIDTH,
            "features": features.round(4).ravel().tolist(),
            "folds": folds,
            "strengths": STRENGTHS,
            "cases": [
                {
                    "loss": loss,
                    "outputs": outputs,
                    "targets": targets.tolist(),
                    "strength": best,
                    "losses": [float(l) for l in losses],
                    "scores": numpy.asarray(scores).ravel().tolist(),
                }
                for loss, outputs, targets, (best, losses, scores) in cases
            ],
        }
    )
)
