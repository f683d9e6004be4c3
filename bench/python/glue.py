"""GLUE's CoLA and MRPC: tab separated, no quoting (double quotes are ordinary characters)."""

import pathlib
from dataclasses import dataclass

from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef


@dataclass(frozen=True)
class Task:
    folder: str
    header: bool
    label: int
    texts: tuple[int, ...]
    max_length: int
    epochs: int
    metrics: dict


TASKS = {
    "cola": Task("CoLA", False, 1, (3,), 64, 4, {"matthews_correlation": matthews_corrcoef}),
    "mrpc": Task("MRPC", True, 0, (3, 4), 128, 5, {"accuracy": accuracy_score, "f1": f1_score}),
}


def read(folder, task, split):
    """Returns (columns of text, labels) of `split` ("train" or "dev")."""
    path = pathlib.Path(folder) / task.folder / f"{split}.tsv"
    lines = path.read_bytes().decode("utf-8-sig").rstrip("\n").split("\n")[task.header :]
    rows = [line.rstrip("\r").split("\t") for line in lines]
    return [[row[column] for row in rows] for column in task.texts], [int(row[task.label]) for row in rows]
