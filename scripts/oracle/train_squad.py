"""AdaLoRA on SQuAD with PyTorch and PEFT and the settings of examples/squad.yaml, for comparison with adalora.

    python train_squad.py OUTPUT --model BASE --train ROWS.jsonl --validation SQUAD.json [--epochs N] [--seed N]

ROWS.jsonl has one line per question with question, context and answers (text, answer_start). Features as in transformers'
run_qa.py, batches of similar length as in adalora, dynamic padding, two threads. Writes predictions.json for
`adalora eval squad --predictions` to OUTPUT, and prints the training speed as a line of JSON.
"""

import argparse
import collections
import json
import math
import pathlib
import random
import time
import warnings

import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import AutoModelForQuestionAnswering, AutoTokenizer, get_linear_schedule_with_warmup, logging

MAX_LENGTH, STRIDE, BATCH, MAX_ANSWER, N_BEST = 384, 128, 16, 30, 20
SIX_MATRICES = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]
LEARNING_RATE, WARMUP = 2e-3, 0.06


def features(tokenizer, questions, contexts):
    return tokenizer(
        [question.lstrip() for question in questions],
        contexts,
        truncation="only_second",
        max_length=MAX_LENGTH,
        stride=STRIDE,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )


def training_set(tokenizer, path):
    rows = [json.loads(line) for line in open(path, encoding="utf8")]
    encoded = features(tokenizer, [row["question"] for row in rows], [row["context"] for row in rows])
    examples = []
    for i, offsets in enumerate(encoded["offset_mapping"]):
        answers = rows[encoded["overflow_to_sample_mapping"][i]]["answers"]
        begin = answers["answer_start"][0]
        end = begin + len(answers["text"][0])
        places = [k for k, part in enumerate(encoded.sequence_ids(i)) if part == 1]
        inside = [k for k in places if offsets[k][1] > begin and offsets[k][0] < end]
        whole = offsets[places[0]][0] <= begin and offsets[places[-1]][1] >= end
        span = (inside[0], inside[-1]) if whole and inside else (0, 0)
        examples.append((encoded["input_ids"][i], encoded["token_type_ids"][i], *span))
    return examples


def batches(examples, order):
    """Yields batches of similar length. Blocks of fifty batches are sorted by length; then the batches are shuffled."""
    groups = [order[i : i + 50 * BATCH] for i in range(0, len(order), 50 * BATCH)]
    found = []
    for group in groups:
        group.sort(key=lambda i: -len(examples[i][0]))
        found += [group[i : i + BATCH] for i in range(0, len(group), BATCH)]
    random.shuffle(found)
    return found


def padded(rows):
    length = max(len(row) for row in rows)
    return torch.tensor([row + [0] * (length - len(row)) for row in rows])


def inputs(ids, types):
    mask = padded([[1] * len(row) for row in ids])
    return {"input_ids": padded(ids), "token_type_ids": padded(types), "attention_mask": mask}


def train(model, examples, total):
    """Trains for `total` steps; returns examples per second."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=LEARNING_RATE, weight_decay=0.0)
    scheduler = get_linear_schedule_with_warmup(optimizer, math.ceil(WARMUP * total), total)
    step, seen, start = 0, 0, time.perf_counter()
    while step < total:
        order = list(range(len(examples)))
        random.shuffle(order)
        for group in batches(examples, order)[: total - step]:
            ids, types, begins, ends = zip(*(examples[i] for i in group))
            spans = {"start_positions": torch.tensor(begins), "end_positions": torch.tensor(ends)}
            loss = model(**inputs(ids, types), **spans).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            scheduler.step()
            step, seen = step + 1, seen + len(group)
            model.base_model.update_and_allocate(step)
            optimizer.zero_grad()
            if step % 50 == 0:
                print(f"step {step}/{total} loss {loss.item():.3f}", flush=True)
    return seen / (time.perf_counter() - start)


@torch.no_grad()
def predict(model, tokenizer, questions):
    encoded = features(tokenizer, [q["question"] for q in questions], [q["context"] for q in questions])
    ranked = collections.defaultdict(list)
    order = sorted(range(len(encoded["input_ids"])), key=lambda i: len(encoded["input_ids"][i]))
    for first in range(0, len(order), 32):
        group = order[first : first + 32]
        outputs = model(**inputs(*([encoded[key][i] for i in group] for key in ("input_ids", "token_type_ids"))))
        for i, starts, ends in zip(group, outputs.start_logits, outputs.end_logits):
            offsets, parts = encoded["offset_mapping"][i], encoded.sequence_ids(i)
            best = lambda logits: logits[: len(parts)].argsort(descending=True)[:N_BEST].tolist()
            for begin in best(starts):
                for end in best(ends):
                    if parts[begin] == parts[end] == 1 and begin <= end < begin + MAX_ANSWER:
                        score = (starts[begin] + ends[end]).item()
                        ranked[encoded["overflow_to_sample_mapping"][i]].append((score, offsets[begin][0], offsets[end][1]))
    answers = {}
    for i, question in enumerate(questions):
        _, begin, end = max(ranked[i], default=(0, 0, 0))
        answers[question["id"]] = question["context"][begin:end]
    return answers


def main():
    arguments = parse()
    warnings.simplefilter("ignore")
    logging.set_verbosity_error()
    torch.set_num_threads(2)
    torch.manual_seed(arguments.seed)
    random.seed(arguments.seed)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    examples = training_set(tokenizer, arguments.train)
    total = arguments.max_steps or arguments.epochs * math.ceil(len(examples) / BATCH)
    config = AdaLoraConfig(
        task_type="QUESTION_ANS", target_modules=SIX_MATRICES, init_r=12, target_r=8, lora_alpha=16, orth_reg_weight=0.1,
        total_step=total, tinit=round(0.1 * total), tfinal=round(0.4 * total), deltaT=10,
    )  # fmt: skip
    base = AutoModelForQuestionAnswering.from_pretrained(arguments.model, dtype=torch.float32)
    model = get_peft_model(base, config).train()
    speed = train(model, examples, total)
    print(json.dumps({"train_samples_per_second": speed, "features": len(examples), "steps": total}), flush=True)
    if arguments.no_predictions:
        return
    articles = json.load(open(arguments.validation, encoding="utf8"))["data"]
    questions = [
        {**question, "context": paragraph["context"]}
        for article in articles
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    ]
    output = pathlib.Path(arguments.output)
    output.mkdir(parents=True, exist_ok=True)
    answers = predict(model.eval(), tokenizer, questions)
    (output / "predictions.json").write_text(json.dumps(answers), encoding="utf8")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output")
    for name in ("model", "train", "validation"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--max-steps", type=int, default=0, help="instead of epochs")
    parser.add_argument("--no-predictions", action="store_true", help="the speed alone")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
