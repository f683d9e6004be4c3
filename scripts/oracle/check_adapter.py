"""Loads an adapter with PEFT, or a merged model with transformers, and compares its logits with those of
`adalora predict RUN FILE --logits`. An adapter is compared before and after `merge_and_unload`.

    python check_adapter.py ADAPTER PREDICTIONS.jsonl FILE.tsv --model BASE
                            --text COLUMN [--text-pair COLUMN] --max-length N [--labels NAME ...]

FILE is tab separated without quoting. It has a header if columns are given by name, and none if they are numbers from 0.
`--labels` names the labels in the order of the logits, if they are not 0, 1, ...
Exit code 1: a tensor that PEFT does not expect or misses, a wrong number of rows, a different label, a logit
that differs by more than 1e-4.
"""

import argparse
import pathlib
import re
import sys
import warnings

import torch
from peft import PeftModel, get_peft_model_state_dict
from rows import compare, predict, read_columns, read_predictions
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer, logging


def load(folder, base):
    """Yields models by their names in the report: an adapter, before and after merging, or a merged model."""
    if not (pathlib.Path(folder) / "adapter_config.json").exists():
        return "model", AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    return "adapter", load_adapter(folder, base)


def load_adapter(adapter, base):
    """Loads the adapted model. PEFT warns about missing tensors and ignores extra ones; here both are fatal."""
    written = load_tensors(pathlib.Path(adapter))
    labels = written["base_model.model.classifier.weight"].shape[0]
    model = AutoModelForSequenceClassification.from_pretrained(base, dtype=torch.float32, num_labels=labels)
    model = PeftModel.from_pretrained(model, adapter).eval()
    # With `bias: all`, PEFT saves the head's bias twice, and also the replaced head's bias.
    repeated = re.compile(r"\.(original_module|modules_to_save)\.")
    expected = {key for key in get_peft_model_state_dict(model) if not repeated.search(key)}
    if written.keys() != expected:
        missing, unexpected = sorted(expected - written.keys()), sorted(written.keys() - expected)
        sys.exit(f"missing: {missing}\nunexpected: {unexpected}")
    return model


def load_tensors(folder):
    safe = folder / "adapter_model.safetensors"
    return load_file(safe) if safe.exists() else torch.load(folder / "adapter_model.bin", weights_only=True)


def main():
    arguments = parse()
    warnings.simplefilter("ignore")  # warnings of any rank_pattern and of rank 0; `load` checks what matters
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    columns = read_columns(arguments.file, [c for c in (arguments.text, arguments.text_pair) if c])
    ours = read_predictions(arguments.predictions, len(columns[0]))
    kind, model = load(arguments.adapter, arguments.model)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    theirs = predict(model, tokenizer, columns, arguments.max_length)
    good = compare(kind, ours, theirs, arguments.labels)
    if kind == "adapter":
        theirs = predict(model.merge_and_unload(), tokenizer, columns, arguments.max_length)
        good = compare("merged", ours, theirs, arguments.labels) and good
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
    parser.add_argument("--labels", nargs="+")
    return parser.parse_args()


if __name__ == "__main__":
    main()
