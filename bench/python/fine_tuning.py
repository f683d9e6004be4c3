"""Fine-tuning with PEFT as is usual with transformers: dynamic padding, AdamW without decay, warm-up, linear decay.

Rank 8 (AdaLoRA: from 12) on the six matrices, alpha 16. Batches of 32 are in random order or of similar length
(transformers' `group_by_length`), and are padded to their longest text. The learning rate rises for 6 % of the steps, then
falls linearly to 0. LoRA: lr 5e-4. AdaLoRA: lr 2e-3, gamma 0.1, tinit 10 %, tfinal 40 %, deltaT 10.
"""

import torch
from torch.utils.data import DataLoader
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    get_linear_schedule_with_warmup,
    logging,
)
from transformers.trainer_pt_utils import LengthGroupedSampler

from glue import TASKS, read
from tuner import SIX_MATRICES, autocast, train_step, trainable, wrap

BATCH = 32
LEARNING_RATE = {"adalora": 2e-3, "lora": 5e-4}


def quiet():
    logging.set_verbosity_error()
    logging.disable_progress_bar()


def load_base(folder):
    f32 = dict(dtype=torch.float32)  # the checkpoint may have another type
    return AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2, **f32)


class FineTuning:
    def __init__(
        self,
        model,
        data,
        task,
        method,
        epochs=None,
        tinit=None,
        eval_batch=BATCH,
        dtype="float32",
        group_by_length=False,
    ):
        quiet()
        self.task, self.dtype, self.steps = TASKS[task], dtype, 0
        self.epochs = epochs or self.task.epochs
        tokenizer = AutoTokenizer.from_pretrained(model)
        order = "grouped" if group_by_length else "random"
        self.training = loader(data, "train", self.task, tokenizer, BATCH, order)
        self.validation = loader(data, "dev", self.task, tokenizer, eval_batch, "sorted" if group_by_length else "file")
        self.evaluated = len(self.validation.dataset)
        self.total = len(self.training) * self.epochs
        settings = tuner_settings(method, self.total, tinit)
        self.model = wrap(load_base(model), method, SIX_MATRICES, **settings)
        parameters = trainable(self.model)
        self.optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE[method], weight_decay=0.0)
        self.schedule = get_linear_schedule_with_warmup(self.optimizer, int(0.06 * self.total), self.total)

    def step(self, batch):
        """Returns the number of examples."""
        self.steps += 1
        train_step(self.model, self.optimizer, batch, self.steps, self.dtype)
        self.schedule.step()
        return len(batch["labels"])

    @torch.no_grad()
    def evaluate(self):
        self.model.eval()
        truth, predicted = [], []
        for batch in self.validation:
            truth += batch.pop("labels").tolist()
            with autocast(self.dtype):
                predicted += self.model(**batch).logits.argmax(-1).tolist()
        self.model.train()
        return {name: round(float(metric(truth, predicted)), 4) for name, metric in self.task.metrics.items()}


def tuner_settings(method, total, tinit=None):
    if method == "lora":
        return dict(r=8, lora_alpha=16)
    tinit = int(0.1 * total) if tinit is None else tinit
    schedule = dict(total_step=total, tinit=tinit, tfinal=int(0.4 * total), deltaT=10)
    return dict(init_r=12, target_r=8, lora_alpha=16, orth_reg_weight=0.1, **schedule)


def loader(data, split, task, tokenizer, batch, order):
    """order: random, grouped by length, sorted (longest first, as in our evaluations), or file."""
    texts, labels = read(data, task, split)
    encoded = {**tokenizer(*texts, truncation=True, max_length=task.max_length), "labels": labels}
    rows = [dict(zip(encoded, values, strict=True)) for values in zip(*encoded.values(), strict=True)]
    lengths = [len(row["input_ids"]) for row in rows]
    if order == "sorted":
        rows = [rows[i] for i in sorted(range(len(rows)), key=lambda i: -lengths[i])]
    sampler = LengthGroupedSampler(batch, lengths=lengths) if order == "grouped" else None
    settings = dict(batch_size=batch, shuffle=order == "random", sampler=sampler)
    return DataLoader(rows, **settings, collate_fn=DataCollatorWithPadding(tokenizer))
