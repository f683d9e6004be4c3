"""Trains an adapter with AdapterHub's `adapters` for a few steps and saves it, to evaluate it with `adalora predict`.

    python train_adapterhub.py OUTPUT FILE.tsv --model BASE --method houlsby|pfeiffer --text COLUMN --label COLUMN
                               --max-length N [--steps N] [--exchangeable] [--safetensors]

FILE and columns as for check_adapter.py. The adapter's name and activation differ from ours. `--exchangeable`
uses AdapterHub's own model class, with its exchangeable head, instead of transformers'. Without `--safetensors` it saves pickles.
"""

import argparse
import itertools
import warnings

import adapters
import torch
from rows import batches, read_columns
from transformers import AutoModelForSequenceClassification, AutoTokenizer, logging

CONFIGS = {"houlsby": "double_seq_bn", "pfeiffer": "seq_bn"}
LEARNING_RATE = 3e-3


def make_model(base, classes, exchangeable):
    if exchangeable:
        model = adapters.AutoAdapterModel.from_pretrained(base)
        model.add_classification_head("sort", id2label=dict(enumerate(classes)))
        return model
    names = {"id2label": dict(enumerate(classes)), "label2id": {name: i for i, name in enumerate(classes)}}
    model = AutoModelForSequenceClassification.from_pretrained(
        base, dtype=torch.float32, num_labels=len(classes), **names
    )
    adapters.init(model)
    return model


def main():
    arguments = parse()
    warnings.simplefilter("ignore")
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(0)
    texts, names = read_columns(arguments.file, [arguments.text, arguments.label])
    classes = sorted(set(names))
    model = make_model(arguments.model, classes, arguments.exchangeable)
    settings = adapters.AdapterConfig.load(
        CONFIGS[arguments.method], reduction_factor=3, non_linearity="gelu", leave_out=[0]
    )
    model.add_adapter("sort", config=settings)
    model.train_adapter("sort")
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=LEARNING_RATE, weight_decay=0.0)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    stream = batches(tokenizer, texts, [classes.index(name) for name in names], arguments.max_length)
    for batch in itertools.islice(stream, arguments.steps):
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_adapter(arguments.output, "sort", use_safetensors=arguments.safetensors)
    print(f"{arguments.output}: loss {loss.item():.3f} after {arguments.steps} steps")


def parse():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("output")
    parser.add_argument("file")
    parser.add_argument("--model", required=True)
    parser.add_argument("--method", required=True, choices=CONFIGS)
    parser.add_argument("--text", required=True)
    parser.add_argument("--label", required=True)
    parser.add_argument("--max-length", type=int, required=True)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--exchangeable", action="store_true")
    parser.add_argument("--safetensors", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
