"""Loads an adapter with AdapterHub's `adapters` and compares its logits with those of
`adalora predict RUN FILE --logits`: in the transformers class that the adapter names, and in AdapterHub's own
model class with exchangeable heads.

    python check_adapterhub.py ADAPTER PREDICTIONS.jsonl FILE.tsv --model BASE
                               --text COLUMN [--text-pair COLUMN] --max-length N [--safetensors]

FILE and columns as for check_adapter.py.
Exit code 1: a tensor that AdapterHub does not expect or misses, a wrong number of rows, a different label, a logit
that differs by more than 1e-4.
"""

import argparse
import json
import pathlib
import sys

import adapters
import torch
import transformers
from rows import compare, predict, read_columns, read_predictions
from transformers import AutoTokenizer, logging


def load(folder, base, model_class, labels, safetensors):
    """Loads the model with the active adapter. AdapterHub only logs problems with tensors; here they are fatal."""
    if model_class is adapters.AutoAdapterModel:
        model = model_class.from_pretrained(base)
    else:
        model = model_class.from_pretrained(base, dtype=torch.float32, num_labels=labels)
        adapters.init(model)
    found = {}
    model.load_adapter(str(folder), set_active=True, loading_info=found, use_safetensors=safetensors)
    if found.get("missing_keys") or found.get("unexpected_keys"):
        sys.exit(f"missing: {found.get('missing_keys')}\nunexpected: {found.get('unexpected_keys')}")
    return model.eval()


def main():
    arguments = parse()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    columns = read_columns(arguments.file, [c for c in (arguments.text, arguments.text_pair) if c])
    ours = read_predictions(arguments.predictions, len(columns[0]))
    folder = pathlib.Path(arguments.adapter)
    head = json.loads((folder / "head_config.json").read_text())
    ids = (head["config"] or head)["label2id"]
    names = sorted(ids, key=ids.get)
    own = getattr(transformers, head["model_class"], None)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    good = True
    for model_class in [own, adapters.AutoAdapterModel] if own else [adapters.AutoAdapterModel]:
        model = load(folder, arguments.model, model_class, len(names), arguments.safetensors)
        theirs = predict(model, tokenizer, columns, arguments.max_length)
        good = compare(model_class.__name__, ours, theirs, names) and good
    sys.exit(not good)


def parse():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("adapter")
    parser.add_argument("predictions")
    parser.add_argument("file")
    parser.add_argument("--model", required=True)
    parser.add_argument("--text", required=True)
    parser.add_argument("--text-pair")
    parser.add_argument("--max-length", type=int, required=True)
    parser.add_argument("--safetensors", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
