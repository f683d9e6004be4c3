"""Predicts with SetFit from a folder that `adalora export --as merged` wrote.

    python setfit_model.py FOLDER TEXTS.json

The head is put into the model as docs/setfit.md shows. Prints the probabilities of each text as JSON.
"""

import json
import sys

import numpy as np
from safetensors.numpy import load_file
from setfit import SetFitModel

folder, texts_file = sys.argv[1:]
model = SetFitModel.from_pretrained(folder)
head = load_file(f"{folder}/head.safetensors")
weight, bias = head["weight"], head["bias"]
if len(model.labels) == 2:
    weight, bias = weight[1:] - weight[:1], bias[1:] - bias[:1]
model.model_head.coef_, model.model_head.intercept_ = weight, bias
model.model_head.classes_ = np.arange(len(model.labels))
with open(texts_file) as file:
    texts = json.load(file)
print(json.dumps({"labels": model.labels, "probabilities": model.predict_proba(texts).tolist()}))
