"""Times training steps of PEFT on request, so that a benchmark can interleave them with another library's.

Reads one JSON request a line from standard input and answers one JSON line on standard output:

    {"op": "prepare", "model_type": "bert", "shape": {fields of its config}, "method": "adalora" | "lora", "r": 12,
     "targets": [...], "batch": 16, "length": 128, "dropout": 0.1,
     "dtype": "float32" | "bfloat16", "threads": 2}
                                -> {"attention", "trainable", "threads", "versions", "baseline_mb"}
    {"op": "step", "count": 3}  -> {"ms": [every step's milliseconds], "loss": of the last step}
    {"op": "memory"}            -> {"peak_mb", "baseline_mb"}  (baseline: after the imports, before the model)
    {"op": "exit"}

A request that fails is answered by {"error": ...}. A process prepares once: its peak memory belongs to that
configuration.
"""

import json
import sys
import time

import peft
import torch
import transformers
from transformers import AutoConfig, AutoModelForSequenceClassification

from memory import peak_mb, resident_mb
from tuner import train_step, trainable, wrap

# More steps than any benchmark runs, all before `tinit`: importance is averaged at each step, nothing pruned.
ENDLESS = 1_000_000


class Server:
    def __init__(self):
        self.baseline_mb = resident_mb()
        self.model = None

    def prepare(self, model_type, shape, method, r, targets, batch, length, dropout, dtype, threads):
        if self.model is not None:
            raise RuntimeError("already prepared; start another process for another configuration")
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self.batch, self.length, self.dtype, self.step_number = batch, length, dtype, 0
        dropouts = dict(hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout)
        config = AutoConfig.for_model(model_type, **shape, **dropouts, num_labels=2)
        model = AutoModelForSequenceClassification.from_config(config)
        self.model = wrap(model, method, targets, **tuner_settings(method, r))
        self.optimizer = torch.optim.AdamW(trainable(self.model), lr=1e-3, weight_decay=0.0)
        return {
            "attention": config._attn_implementation,
            "trainable": sum(p.numel() for p in trainable(self.model)),
            "threads": torch.get_num_threads(),
            "versions": {library.__name__: library.__version__ for library in (torch, transformers, peft)},
            "baseline_mb": self.baseline_mb,
        }

    def step(self, count):
        milliseconds = []
        for _ in range(count):
            batch = self.random_batch()
            start = time.perf_counter()
            self.step_number += 1
            loss = train_step(self.model, self.optimizer, batch, self.step_number, self.dtype)
            milliseconds.append(round((time.perf_counter() - start) * 1000, 2))
        return {"ms": milliseconds, "loss": loss.item()}

    def memory(self):
        return {"peak_mb": peak_mb(), "baseline_mb": self.baseline_mb}

    def random_batch(self):
        """Every position is real: no padding, so no work that the attention could leave out."""
        ids = torch.randint(1, self.model.config.vocab_size, (self.batch, self.length))
        labels = torch.randint(0, 2, (self.batch,))
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}


def tuner_settings(method, r):
    """Both methods at rank `r` from the first step to the last."""
    if method == "lora":
        return dict(r=r, lora_alpha=16)
    schedule = dict(tinit=ENDLESS // 2, total_step=ENDLESS)
    return dict(init_r=r, target_r=r * 2 // 3, lora_alpha=16, orth_reg_weight=0.1, **schedule)


def main():
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever a library prints must not break the protocol
    server = Server()
    operations = {"prepare": server.prepare, "step": server.step, "memory": server.memory}
    for line in sys.stdin:
        request = json.loads(line)
        operation = request.pop("op")
        if operation == "exit":
            return
        try:
            answer = operations[operation](**request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
