"""Computes the largest difference that forms of an adapter make in PEFT.

    python exported_lora.py BASE IDS.json ADAPTER FORM...

Prints one JSON line per FORM: the largest difference from the logits of ADAPTER, relative to the largest logit.
"""

import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM


def logits(base, adapter, ids):
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float64)
    model = PeftModel.from_pretrained(model, adapter, autocast_adapter_dtype=False).to(torch.float64).eval()
    with torch.no_grad():
        return model(torch.tensor([ids])).logits


base, ids_file, adapter, *forms = sys.argv[1:]
with open(ids_file) as file:
    ids = json.load(file)
before = logits(base, adapter, ids)
for form in forms:
    print(json.dumps(float((logits(base, form, ids) - before).abs().max() / before.abs().max())))
