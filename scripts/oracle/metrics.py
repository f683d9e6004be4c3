"""Writes src/tasks/labeled/fixtures/oracle.json: scores of scikit-learn and scipy on small seeded cases.

    python scripts/oracle/metrics.py && npx biome format --write src/tasks/labeled/fixtures

Logits are multiples of 1/16, which are exact in 32 bits, so both programs use the same numbers (and ties occur).
"""
import json, math, pathlib, platform, warnings
import numpy, scipy, sklearn
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef, mean_squared_error

OUT = pathlib.Path(__file__).parents[2] / "src/tasks/labeled/fixtures/oracle.json"
rng = numpy.random.default_rng(0)


def sixteenths(*shape, scale=1.0):
    return numpy.round(rng.normal(size=shape) * scale * 16) / 16


def classification(name, logits, targets):
    predictions = logits.argmax(1)
    average = "binary" if logits.shape[1] == 2 else "macro"
    return case(name, "single_label_classification", logits, targets, {
        "accuracy": accuracy_score(targets, predictions),
        "f1": f1_score(targets, predictions, average=average),
        "matthews_correlation": matthews_corrcoef(targets, predictions)})


def regression(name, logits, targets):
    x, y = logits.ravel(), targets.ravel()
    return case(name, "regression", logits, targets, {
        "pearson": pearsonr(x, y).statistic, "spearmanr": spearmanr(x, y).statistic, "mse": mean_squared_error(y, x)})


def multi_label(name, logits, targets):
    predictions = (logits > 0).astype(int)
    return case(name, "multi_label_classification", logits, targets, {
        "accuracy": accuracy_score(targets, predictions), "f1": f1_score(targets, predictions, average="micro")})


def case(name, task, logits, targets, expected):
    return {"name": name, "task": task, "numLabels": logits.shape[1], "logits": logits.ravel().tolist(), "targets": targets.ravel().tolist(),
            "expected": {k: None if math.isnan(v) else float(v) for k, v in expected.items()}}


def main():
    warnings.simplefilter("ignore")   # some cases have undefined scores
    labels = lambda classes, rows: rng.integers(0, classes, rows)
    two, five = labels(2, 40), labels(5, 50)
    x = sixteenths(40, 1, scale=2)
    cases = [
        classification("two classes", sixteenths(40, 2), two),
        classification("two classes, mostly right", sixteenths(40, 2) + 2 * numpy.eye(2)[two], two),
        classification("two classes, never the positive one predicted", numpy.tile([[1.0, 0.0]], (6, 1)), labels(2, 6)),
        classification("two classes, nothing positive anywhere", numpy.tile([[1.0, 0.0]], (6, 1)), numpy.zeros(6, int)),
        classification("two classes, all right and both present", numpy.eye(2)[two], two),
        classification("two classes, all wrong", numpy.eye(2)[1 - two], two),
        classification("three classes", sixteenths(40, 3), labels(3, 40)),
        classification("five classes, mostly right", sixteenths(50, 5) + 2 * numpy.eye(5)[five], five),
        classification("five classes, two of them absent", numpy.eye(5)[labels(3, 30)], labels(3, 30)),
        classification("five classes, one predicted but never there", numpy.eye(5)[labels(4, 30)], labels(3, 30)),
        classification("three classes, one predicted always", numpy.tile([[0.0, 0.0, 1.0]], (9, 1)), labels(3, 9)),
        regression("regression", x, x + sixteenths(40, 1)),
        regression("regression, targets with many ties", x, numpy.round(x + sixteenths(40, 1))),
        regression("regression, opposed", x, -3 * x + 1),
        regression("regression, far from zero", 4096 + x, x + sixteenths(40, 1)),
        regression("regression, monotone but not linear", x, x ** 3),
        regression("regression, constant predictions", numpy.full((8, 1), 0.1).astype(numpy.float32).astype(float), sixteenths(8, 1)),
        regression("regression, constant targets", sixteenths(8, 1), numpy.full((8, 1), 2.0)),
        regression("regression, two rows", numpy.array([[1.0], [2.0]]), numpy.array([[5.0], [3.0]])),
        multi_label("multi-label", sixteenths(30, 4), rng.integers(0, 2, (30, 4))),
        multi_label("multi-label, mostly right", sixteenths(30, 3) + 3 * (t := rng.integers(0, 2, (30, 3))) - 1.5, t),
        multi_label("multi-label, nothing positive anywhere", -numpy.ones((5, 3)), numpy.zeros((5, 3), int)),
        multi_label("multi-label, logits of zero are negative", numpy.zeros((5, 3)), rng.integers(0, 2, (5, 3))),
    ]
    versions = {"python": platform.python_version(), "numpy": numpy.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__}
    OUT.write_text(json.dumps({"versions": versions, "cases": cases}) + "\n")


if __name__ == "__main__":
    main()
