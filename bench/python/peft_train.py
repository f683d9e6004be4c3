"""Fine-tunes with PEFT in f32; prints one JSON line an epoch: metrics, examples a second, peak memory.

    python peft_train.py --model FOLDER --data GLUE_FOLDER --task cola|mrpc --method adalora|lora
                         [--seed N] [--epochs N] [--max-steps N] [--threads N]

Rank 8 (AdaLoRA: from 12) on the six matrices, alpha 16, batch 32 in random order, padded to the longest of a
batch; AdamW without decay, 6 % warm-up, then linear to 0. LoRA: lr 5e-4. AdaLoRA: lr 2e-3, gamma 0.1,
tinit 10 %, tfinal 40 %, deltaT 10.
`--max-steps` stops early, to measure speed: the schedule stays that of the whole run.
"""

import argparse
import json
import time

import torch
from torch.utils.data import DataLoader
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    get_linear_schedule_with_warmup,
    logging,
)

from glue import TASKS, read
from memory import peak_mb
from tuner import SIX_MATRICES, train_step, trainable, wrap

BATCH = 32
LEARNING_RATE = {"adalora": 2e-3, "lora": 5e-4}


def tuner_settings(method, total):
    if method == "lora":
        return dict(r=8, lora_alpha=16)
    schedule = dict(total_step=total, tinit=int(0.1 * total), tfinal=int(0.4 * total), deltaT=10)
    return dict(init_r=12, target_r=8, lora_alpha=16, orth_reg_weight=0.1, **schedule)


def loader(data, split, task, tokenizer, shuffle):
    texts, labels = read(data, task, split)
    encoded = {**tokenizer(*texts, truncation=True, max_length=task.max_length), "labels": labels}
    rows = [dict(zip(encoded, values, strict=True)) for values in zip(*encoded.values(), strict=True)]
    return DataLoader(rows, batch_size=BATCH, shuffle=shuffle, collate_fn=DataCollatorWithPadding(tokenizer))


@torch.no_grad()
def evaluate(model, batches, metrics):
    model.eval()
    truth, predicted = [], []
    for batch in batches:
        truth += batch.pop("labels").tolist()
        predicted += model(**batch).logits.argmax(-1).tolist()
    model.train()
    return {name: round(float(metric(truth, predicted)), 4) for name, metric in metrics.items()}


def main():
    arguments = parse()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    task = TASKS[arguments.task]
    epochs = arguments.epochs or task.epochs
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    training = loader(arguments.data, "train", task, tokenizer, shuffle=True)
    validation = loader(arguments.data, "dev", task, tokenizer, shuffle=False)
    total = len(training) * epochs
    f32 = dict(dtype=torch.float32)  # whatever the checkpoint is stored in
    base = AutoModelForSequenceClassification.from_pretrained(arguments.model, num_labels=2, **f32)
    model = wrap(base, arguments.method, SIX_MATRICES, **tuner_settings(arguments.method, total))
    optimizer = torch.optim.AdamW(trainable(model), lr=LEARNING_RATE[arguments.method], weight_decay=0.0)
    schedule = get_linear_schedule_with_warmup(optimizer, int(0.06 * total), total)

    run = {"task": arguments.task, "method": arguments.method, "seed": arguments.seed}
    step, last = 0, min(arguments.max_steps or total, total)
    for epoch in range(1, epochs + 1):
        start, examples = time.perf_counter(), 0
        for batch in training:
            step += 1
            train_step(model, optimizer, batch, step)
            schedule.step()
            examples += len(batch["labels"])
            if step == last:
                break
        seconds = time.perf_counter() - start
        speed = {"examples_per_second": round(examples / seconds, 1), "peak_mb": peak_mb()}
        scores = {} if arguments.max_steps else evaluate(model, validation, task.metrics)
        print(json.dumps({**run, "epoch": epoch, "step": step, **speed, **scores}), flush=True)
        if step == last:
            return


def parse():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--task", required=True, choices=TASKS)
    parser.add_argument("--method", required=True, choices=LEARNING_RATE)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
