"""Losses of rerankers, scores of orders and mined negatives, from sentence-transformers: src/tasks/reranking/fixtures."""

import base64
import json
import random
import sys
from pathlib import Path

import torch
from datasets import Dataset
from sentence_transformers.cross_encoder import CrossEncoder, losses
from sentence_transformers.cross_encoder.evaluation import CrossEncoderRerankingEvaluator
from sentence_transformers.util import mine_hard_negatives

FOLDER = Path(__file__).resolve().parents[2] / "src/tasks/reranking/fixtures"


class Logits(CrossEncoder):
    """Returns given logits for pairs, in the order of (query, text)."""

    def __init__(self, logits):
        torch.nn.Module.__init__(self)
        self.logits = logits

    num_labels = 1
    device = torch.device("cpu")

    def preprocess(self, pairs, **_):
        return {"places": torch.tensor([int(text) for _, text in pairs])}

    def forward(self, inputs, **_):
        return {"scores": self.logits[inputs["places"]].unsqueeze(1)}


def loss_case(kind, groups, labels, count):
    torch.manual_seed(count)
    logits = (2 * torch.randn(count)).requires_grad_()
    model = Logits(logits)
    queries = [str(i) for i in range(len(groups))]
    texts = [[str(place) for place in group] for group in groups]
    if kind == "binary_cross_entropy":
        flat = [(query, text) for query, group in zip(queries, texts) for text in group]
        inputs = [[query for query, _ in flat], [text for _, text in flat]]
        value = losses.BinaryCrossEntropyLoss(model)(inputs, torch.tensor(sum(labels, [])))
    elif kind == "lambda":
        value = losses.LambdaLoss(model)([queries, texts], [torch.tensor(one) for one in labels])
    else:
        columns = [queries, *map(list, zip(*texts))]
        if kind == "margin_mse":
            value = losses.MarginMSELoss(model)(columns, torch.tensor(labels))
        else:
            # The texts that it would draw from other rows are columns here.
            ranking = losses.MultipleNegativesRankingLoss(model)
            ranking.get_in_batch_negatives = lambda *_: []
            value = ranking(columns, None)
    value.backward()
    return {
        "kind": kind,
        "groups": groups,
        "targets": labels,
        "logits": logits.tolist(),
        "loss": value.item(),
        "gradient": logits.grad.tolist(),
    }


def loss_cases():
    equal = [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
    uneven = [[0, 1, 2, 3, 4], [5, 6], [7, 8, 9], [10, 11, 12, 13]]
    shares = [[1.0, 0.0, 0.3], [1.0, 0.2, 0.0], [0.0, 0.9, 1.0], [1.0, 0.0, 0.0]]
    return [
        loss_case("binary_cross_entropy", equal, shares, 12),
        loss_case("multiple_negatives_ranking", equal, [[1.0, 0.0, 0.0]] * 4, 12),
        loss_case("margin_mse", equal, [[3.0, -1.0, 0.5], [2.0, 1.5, -2.0], [0.7, 0.1, 0.2], [5.0, 4.0, 1.0]], 12),
        loss_case("lambda", equal, shares, 12),
        loss_case("lambda", uneven, [[3.0, 0.0, 1.0, 2.0, 0.0], [0.0, 1.0], [2.0, 2.0, 0.0], [0.0, 0.0, 0.0, 0.0]], 14),
    ]


class Given(CrossEncoder):
    def __init__(self, scores):
        torch.nn.Module.__init__(self)
        self.scores = scores

    def predict(self, pairs, **_):
        import numpy as np

        return np.array(self.scores, dtype=np.float32)


def score_cases():
    random.seed(0)
    cases = []
    for _ in range(12):
        positives, negatives = random.randint(1, 4), random.randint(1, 9)
        # Few values, so that many scores are equal.
        scores = [random.randint(0, 4) / 4 for _ in range(positives + negatives)]
        sample = {"query": "q", "positive": [f"p{i}" for i in range(positives)], "negative": [f"n{i}" for i in range(negatives)]}
        evaluate = CrossEncoderRerankingEvaluator([sample], write_csv=False)
        evaluate.store_metrics_in_model_card_data = lambda *_: None
        cases.append({"scores": scores, "positives": positives, "expected": {k: float(v) for k, v in evaluate(Given(scores)).items()}})
    return cases


class Vectors:
    """An embedding model with given vectors."""

    device = torch.device("cpu")

    def __init__(self, queries, texts):
        self.queries, self.texts = queries, texts

    def encode_document(self, texts, **_):
        return torch.stack([self.texts[text] for text in texts]).numpy()

    def encode_query(self, texts, **_):
        return torch.stack([self.queries[text] for text in texts]).numpy()

    def similarity(self, a, b):
        return torch.as_tensor(a) @ torch.as_tensor(b).T

    def similarity_pairwise(self, a, b):
        return (torch.as_tensor(a) * torch.as_tensor(b)).sum(-1)


class Rescorer:
    def predict(self, pairs, **_):
        # Any function of both texts that can be computed elsewhere.
        return torch.tensor([((int(q[1:]) * 7919 + int(t[1:]) * 104729) % 99991) / 99991 for q, t in pairs])


def mining_cases(count=500, width=8):
    """500 rows; every tenth query has two positives."""
    torch.manual_seed(0)
    texts = {f"t{i}": torch.randn(width) for i in range(count)}
    queries = {f"q{i}": torch.randn(width) for i in range(count - count // 10)}
    names = list(queries)
    rows = [(names[i % len(names)], f"t{i}") for i in range(count)]
    for query, text in rows:
        queries[query] = queries[query] + texts[text] / 2
    model = Vectors(queries, texts)
    found = []
    for settings in [
        {"num_negatives": 3},
        {"num_negatives": 5, "range_min": 10, "range_max": 50},
        {"num_negatives": 4, "relative_margin": 0.05},
        {"num_negatives": 3, "absolute_margin": 0.5, "max_score": 6.0, "min_score": 1.0},
        {"num_negatives": 3, "range_min": 2, "relative_margin": 0.1, "rescored": True},
        {"num_negatives": 4, "rescored": True},
    ]:
        options = {key: value for key, value in settings.items() if key != "rescored"}
        dataset = Dataset.from_dict({"query": [q for q, _ in rows], "positive": [t for _, t in rows]})
        mined = mine_hard_negatives(
            dataset,
            model,
            cross_encoder=Rescorer() if "rescored" in settings else None,
            output_format="triplet",
            verbose=False,
            **options,
        )
        # A query with two positives has its negatives beside each of them.
        negatives = {}
        for query, negative in zip(mined["query"], mined["negative"]):
            negatives.setdefault(query, {})[negative[1:]] = True
        found.append({"settings": settings, "negatives": "\n".join(" ".join(negatives.get(q, [])) for q in names)})
    return {
        "queries": packed([queries[name] for name in names]),
        "texts": packed(list(texts.values())),
        "cases": found,
    }


def packed(vectors):
    """Float32 numbers in base64: as text they would be thousands of lines."""
    return base64.b64encode(torch.stack(vectors).numpy().astype("<f4").tobytes()).decode()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    written = {"losses": loss_cases(), "scores": score_cases()}
    (FOLDER / "oracle.json").write_text(json.dumps(written) + "\n")
    (FOLDER / "mined.json").write_text(json.dumps(mining_cases()) + "\n")
    print("written", file=sys.stderr)
