"""Loads an adapter of virtual tokens (prompt or prefix tuning) with PEFT, and compares its logits with those of
`tokenLogits` (token-logits.ts).

    python check_virtual_tokens.py ADAPTER LOGITS.jsonl --model BASE

Exit code 1: a tensor that PEFT does not expect or misses, or a logit that differs by more than 1e-5.
"""

import argparse
import json
import pathlib
import sys
import warnings

import torch
from peft import PeftConfig, PeftModel, get_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, logging

# Rounding of float32 in two layers, for logits of a few units.
TOLERANCE = 1e-5


def load(adapter, base):
    written = load_file(pathlib.Path(adapter) / "adapter_model.safetensors")
    if PeftConfig.from_pretrained(adapter).task_type == "CAUSAL_LM":
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    else:
        labels = written["base_model.score.weight"].shape[0]
        model = AutoModelForSequenceClassification.from_pretrained(base, dtype=torch.float32, num_labels=labels)
    model = PeftModel.from_pretrained(model, adapter).eval()
    expected = get_peft_model_state_dict(model).keys()
    if written.keys() != expected:
        sys.exit(f"missing: {sorted(expected - written.keys())}\nunexpected: {sorted(written.keys() - expected)}")
    return model


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("adapter")
    parser.add_argument("logits")
    parser.add_argument("--model", required=True)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # deprecations in transformers
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model = load(arguments.adapter, arguments.model)
    rows = [json.loads(line) for line in pathlib.Path(arguments.logits).read_text().splitlines()]
    worst = 0.0
    for row in rows:
        theirs = model(input_ids=torch.tensor([row["ids"]])).logits
        if theirs.dim() == 3:
            # With prompt tuning, virtual tokens have logits too, before those of the text.
            theirs = theirs[:, -len(row["ids"]) :]
        ours = torch.tensor(row["logits"]).reshape(theirs.shape)
        worst = max(worst, (ours - theirs).abs().max().item())
    print(f"{len(rows)} texts, max |logit difference| {worst:.2e}")
    sys.exit(not rows or not worst <= TOLERANCE)


if __name__ == "__main__":
    main()
