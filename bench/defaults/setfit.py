"""Trains SetFit with its defaults on rows and predicts test rows.

    SETFIT_PYTHON bench/defaults/setfit.py MODEL < TASK.json > PREDICTIONS.json

TASK.json: {"train": [{"text", "text_pair"?, "label"}], "test": [...], "seed"}. The texts of a pair are joined by a space, because SetFit reads
one text. Prints {"labels": [...], "seconds"}. Needs the packages setfit and datasets, in an environment of their own.
"""

import json
import sys
import time

from datasets import Dataset
from setfit import SetFitModel, Trainer, TrainingArguments


def texts(rows):
    return [" ".join(filter(None, [row["text"], row.get("text_pair")])) for row in rows]


task = json.load(sys.stdin)
started = time.time()
model = SetFitModel.from_pretrained(sys.argv[1])
rows = Dataset.from_dict({"text": texts(task["train"]), "label": [row["label"] for row in task["train"]]})
# 20 pairs per row for each kind, as in the paper; the package's other defaults.
arguments = TrainingArguments(num_iterations=20, num_epochs=1, seed=task["seed"], report_to="none")
Trainer(model=model, args=arguments, train_dataset=rows).train()
labels = [str(label) for label in model.predict(texts(task["test"]))]
json.dump({"labels": labels, "seconds": time.time() - started}, sys.stdout)
