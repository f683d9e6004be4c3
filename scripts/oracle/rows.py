"""Shared code of the adapter checks: rows of a file, their logits in Python, and our predictions."""

import json
import pathlib
import sys

import torch

TOLERANCE = 1e-4
BATCH = 32


def read_columns(path, columns):
    """Returns one list of texts for each of `columns`."""
    lines = pathlib.Path(path).read_bytes().decode("utf-8-sig").rstrip("\n").split("\n")
    rows = [line.rstrip("\r").split("\t") for line in lines]
    if all(column.isdecimal() for column in columns):
        places = [int(column) for column in columns]
    else:
        header = rows.pop(0)
        places = [header.index(column) for column in columns]
    return [[row[place] for row in rows] for place in places]


@torch.no_grad()
def predict(model, tokenizer, columns, max_length):
    logits = []
    for start in range(0, len(columns[0]), BATCH):
        texts = [column[start : start + BATCH] for column in columns]
        batch = tokenizer(*texts, truncation=True, max_length=max_length, padding=True, return_tensors="pt")
        logits.append(model(**batch).logits)
    return torch.cat(logits)


def read_predictions(path, rows):
    """Reads the lines of `adalora predict --logits`. Their number must be that of the rows."""
    with open(path, encoding="utf-8") as lines:
        ours = [json.loads(line) for line in lines]
    if len(ours) != rows:
        sys.exit(f"{path}: expected {rows} lines, got {len(ours)}")
    return ours


def compare(kind, ours, theirs, labels, tolerance=TOLERANCE):
    """Whether labels are equal, and logits within a tolerance: of 1 or, for larger logits, of the largest."""
    names = labels or [str(i) for i in range(theirs.shape[1])]
    equal = sum(str(row["label"]) == names[i] for row, i in zip(ours, theirs.argmax(-1).tolist(), strict=True))
    difference = (torch.tensor([row["logits"] for row in ours]) - theirs).abs().max().item()
    print(f"{kind}: labels equal {equal}/{len(ours)}, max |logit difference| {difference:.2e}")
    return equal == len(ours) and difference <= tolerance * max(1, theirs.abs().max().item())


def batches(tokenizer, texts, labels, max_length):
    """Yields batches without end, in a new order each time."""
    while True:
        order = torch.randperm(len(texts)).tolist()
        for start in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            rows = [texts[i] for i in chosen]
            batch = tokenizer(rows, truncation=True, max_length=max_length, padding=True, return_tensors="pt")
            yield {**batch, "labels": torch.tensor([labels[i] for i in chosen])}
