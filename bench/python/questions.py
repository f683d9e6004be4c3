"""Fine-tunes and predicts with PEFT on questions in SQuAD's form, as transformers' run_qa.py does: windows of 384 tokens that
overlap by 128, batches of 16, the most likely span of 20 starts and ends.

AdaLoRA as in fine_tuning.py. The answers of an evaluation are found, but not scored.
"""

import collections
import json

import torch
from torch.utils.data import DataLoader
from transformers import AutoModelForQuestionAnswering, AutoTokenizer, DataCollatorWithPadding, get_linear_schedule_with_warmup
from transformers.trainer_pt_utils import LengthGroupedSampler

from fine_tuning import quiet, tuner_settings
from tuner import SIX_MATRICES, autocast, train_step, trainable, wrap

MAX_LENGTH, STRIDE, BATCH, MAX_ANSWER, N_BEST, EPOCHS = 384, 128, 16, 30, 20, 3


def read(path):
    articles = json.load(open(path, encoding="utf8"))["data"]
    return [(qa["question"], paragraph["context"], qa["answers"][0]) for a in articles for paragraph in a["paragraphs"] for qa in paragraph["qas"]]


def load_base(folder):
    return AutoModelForQuestionAnswering.from_pretrained(folder, dtype=torch.float32)


def windows(tokenizer, questions):
    texts = [[question.lstrip() for question, _, _ in questions], [context for _, context, _ in questions]]
    how = dict(truncation="only_second", max_length=MAX_LENGTH, stride=STRIDE)
    return tokenizer(*texts, **how, return_overflowing_tokens=True, return_offsets_mapping=True)


def labeled(tokenizer, questions):
    """Windows with the tokens of the answer. (0, 0): the window has not the whole answer."""
    encoded, rows = windows(tokenizer, questions), []
    for i, offsets in enumerate(encoded["offset_mapping"]):
        answer = questions[encoded["overflow_to_sample_mapping"][i]][2]
        begin, end = answer["answer_start"], answer["answer_start"] + len(answer["text"])
        places = [k for k, part in enumerate(encoded.sequence_ids(i)) if part == 1]
        inside = [k for k in places if offsets[k][1] > begin and offsets[k][0] < end]
        whole = inside and offsets[places[0]][0] <= begin and offsets[places[-1]][1] >= end
        span = (inside[0], inside[-1]) if whole else (0, 0)
        rows.append({**inputs(encoded, i), "start_positions": span[0], "end_positions": span[1]})
    return rows


def inputs(encoded, i):
    return {name: encoded[name][i] for name in ("input_ids", "token_type_ids", "attention_mask")}


class Answers:
    """Answers questions, longest windows first, as in our evaluations."""

    def __init__(self, tokenizer, questions, batch, dtype):
        self.tokenizer, self.questions, self.batch, self.dtype = tokenizer, questions, batch, dtype

    @torch.no_grad()
    def of(self, model):
        encoded = windows(self.tokenizer, self.questions)
        ranked = collections.defaultdict(list)
        order = sorted(range(len(encoded["input_ids"])), key=lambda i: -len(encoded["input_ids"][i]))
        collate = DataCollatorWithPadding(self.tokenizer)
        for first in range(0, len(order), self.batch):
            group = order[first : first + self.batch]
            with autocast(self.dtype):
                # PEFT's model for questions drops token_type_ids; the one inside does not.
                outputs = model.base_model(**collate([inputs(encoded, i) for i in group]))
            for i, starts, ends in zip(group, outputs.start_logits.float(), outputs.end_logits.float()):
                offsets, parts = encoded["offset_mapping"][i], encoded.sequence_ids(i)
                best = lambda logits: logits[: len(parts)].topk(min(N_BEST, len(parts))).indices.tolist()
                firsts, lasts, starts, ends = best(starts), best(ends), starts.tolist(), ends.tolist()
                spans = ((b, e) for b in firsts for e in lasts if parts[b] == parts[e] == 1 and b <= e < b + MAX_ANSWER)
                found = [(starts[b] + ends[e], offsets[b][0], offsets[e][1]) for b, e in spans]
                ranked[encoded["overflow_to_sample_mapping"][i]] += found
        best = [max(ranked[i], default=(0, 0, 0)) for i in range(len(self.questions))]
        return [context[begin:end] for (_, context, _), (_, begin, end) in zip(self.questions, best)]


class QuestionTuning:
    """Has the parts of `FineTuning` that peft_data.py uses."""

    def __init__(self, model, path, dev, tinit, eval_batch, dtype, group_by_length):
        quiet()
        self.dtype, self.steps = dtype, 0
        tokenizer = AutoTokenizer.from_pretrained(model)
        rows = labeled(tokenizer, read(path))
        lengths = [len(row["input_ids"]) for row in rows]
        sampler = LengthGroupedSampler(BATCH, lengths=lengths) if group_by_length else None
        how = dict(batch_size=BATCH, shuffle=not group_by_length, sampler=sampler)
        self.training = DataLoader(rows, **how, collate_fn=DataCollatorWithPadding(tokenizer))
        questions = read(dev)
        self.answers = Answers(tokenizer, questions, eval_batch, dtype)
        self.evaluated = len(windows(tokenizer, questions)["input_ids"])
        total = len(self.training) * EPOCHS
        settings = tuner_settings("adalora", total, tinit)
        self.model = wrap(load_base(model), "adalora", SIX_MATRICES, "QUESTION_ANS", **settings)
        self.optimizer = torch.optim.AdamW(trainable(self.model), lr=2e-3, weight_decay=0.0)
        self.schedule = get_linear_schedule_with_warmup(self.optimizer, int(0.06 * total), total)

    def step(self, batch):
        """Returns the number of windows."""
        self.steps += 1
        train_step(self.model, self.optimizer, batch, self.steps, self.dtype)
        self.schedule.step()
        return len(batch["input_ids"])

    def evaluate(self):
        self.model.eval()
        self.answers.of(self.model)
        self.model.train()
