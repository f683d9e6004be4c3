"""Trains an adapter with PEFT for a few steps and saves it, to evaluate it with `adalora predict`.

    python train_adapter.py OUTPUT FILE.tsv --model BASE --method lora|adalora --text COLUMN --label COLUMN
                            --max-length N [--steps N] [--pickle]

FILE and columns as for check_adapter.py. `--pickle` saves `adapter_model.bin` instead of safetensors. With
LoRA, some modules have other ranks and alphas. AdaLoRA prunes from rank 12 to a mean rank of 8, until its ranks are final.
"""

import argparse
import itertools
import json
import pathlib
import warnings

import torch
from peft import AdaLoraConfig, LoraConfig, get_peft_model
from rows import batches, read_columns
from transformers import AutoModelForSequenceClassification, AutoTokenizer, logging

SIX_MATRICES = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]
LEARNING_RATE = {"adalora": 5e-3, "lora": 5e-4}


def config(method, steps):
    shared = {"task_type": "SEQ_CLS", "target_modules": SIX_MATRICES, "lora_alpha": 16}
    if method == "lora":
        patterns = {"rank_pattern": {"query": 4, "layer.1.output.dense": 3}, "alpha_pattern": {"value": 8}}
        return LoraConfig(**shared, **patterns, r=8, use_rslora=True, bias="lora_only")
    schedule = {"total_step": steps, "tinit": steps // 10, "tfinal": steps * 2 // 5, "deltaT": 2}
    return AdaLoraConfig(**shared, **schedule, init_r=12, target_r=8, orth_reg_weight=0.1)


def main():
    arguments = parse()
    warnings.simplefilter("ignore")
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(0)
    texts, names = read_columns(arguments.file, [arguments.text, arguments.label])
    classes = sorted(set(names))
    base = AutoModelForSequenceClassification.from_pretrained(
        arguments.model, dtype=torch.float32, num_labels=len(classes)
    )
    model = get_peft_model(base, config(arguments.method, arguments.steps)).train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=LEARNING_RATE[arguments.method], weight_decay=0.0)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    stream = batches(tokenizer, texts, [classes.index(name) for name in names], arguments.max_length)
    for step, batch in enumerate(itertools.islice(stream, arguments.steps), start=1):
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        if arguments.method == "adalora":
            model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
    model.save_pretrained(arguments.output, safe_serialization=not arguments.pickle)
    rename_base(pathlib.Path(arguments.output) / "adapter_config.json", arguments.model)
    print(f"{arguments.output}: loss {loss.item():.3f} after {arguments.steps} steps")


def rename_base(path, model):
    """Writes the base model's absolute path, because PEFT stores the path that transformers was given."""
    settings = json.loads(path.read_text())
    settings["base_model_name_or_path"] = str(pathlib.Path(model).resolve())
    path.write_text(json.dumps(settings, indent=2))


def parse():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("output")
    parser.add_argument("file")
    parser.add_argument("--model", required=True)
    parser.add_argument("--method", required=True, choices=LEARNING_RATE)
    parser.add_argument("--text", required=True)
    parser.add_argument("--label", required=True)
    parser.add_argument("--max-length", type=int, required=True)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--pickle", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
