"""Times training steps of PEFT on request (serve.py), so that a benchmark can interleave them with another library's:

    {"op": "prepare", "model_type": "bert", "shape": {fields of its config}, "method": one of tuner.wrap, "r": 12,
     "targets": [...], "batch": 16, "length": 128, "dropout": 0.1, "dtype": "float32" | "bfloat16", "threads": 2,
     "head": one of HEADS}
                      -> {"attention", "trainable", "threads", "versions"}
                      Also "weights": "bfloat16" | "int8" | "nf4" of the frozen modules, and "compile": true.
    {"op": "step"}    -> {"ms", "loss"}
    {"op": "features"} -> {"ms"}  (of the base model alone, after a prepare with "features": true)
    {"op": "memory"}  -> {"peak_mb", "baseline_mb"}  (baseline: after the imports, before the model)

The dtype bfloat16 uses autocast. The weights int8 and nf4 are those of bitsandbytes, which is only imported if the command
line names it. Compiled code is never read from a cache. Call prepare once per process: its peak memory is that of one configuration.
"""

import os
import sys
import tempfile
import time

if "bitsandbytes" not in sys.argv:
    sys.modules["bitsandbytes"] = None  # PEFT imports it if it is installed, which takes memory

import peft
import torch
import transformers
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForImageClassification,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)

from memory import peak_mb, resident_mb
from serve import serve
from tuner import autocast, quantize, train_step, trainable, wrap

# More steps than any benchmark runs. All are before `tinit`, so they average importance and prune nothing.
ENDLESS = 1_000_000

HEADS = {
    "SEQ_CLS": AutoModelForSequenceClassification,
    "TOKEN_CLS": AutoModelForTokenClassification,
    "QUESTION_ANS": AutoModelForQuestionAnswering,
    "CAUSAL_LM": AutoModelForCausalLM,
}


class Server:
    def __init__(self):
        self.baseline_mb = resident_mb()
        self.model = None

    def prepare(
        self,
        model_type,
        shape,
        method,
        r,
        targets,
        batch,
        length,
        dropout,
        dtype,
        threads,
        head="SEQ_CLS",
        features=False,
        weights="float32",
        compile=False,
    ):
        if self.model is not None:
            raise RuntimeError("already prepared; start another process for another configuration")
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self.batch, self.length, self.dtype, self.step_number = batch, length, dtype, 0
        dropouts = dict(hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout)
        config = AutoConfig.for_model(model_type, **shape, **dropouts, num_labels=9 if head == "TOKEN_CLS" else 2)
        self.head, self.image_size = head, getattr(config, "image_size", None)
        if features:
            self.model = AutoModel.from_config(config).eval()
            return {}
        settings = tuner_settings(method, r)
        if self.image_size:
            # PEFT's class for SEQ_CLS passes inputs that pictures do not have.
            model = AutoModelForImageClassification.from_config(config)
            self.model = wrap(model, method, targets, task_type=None, modules_to_save=["classifier"], **settings)
        else:
            model = HEADS[head].from_config(config)
            if weights == "bfloat16":
                model = model.bfloat16()
            elif weights != "float32":
                quantize(model, weights, skip="classifier")
            self.model = wrap(model, method, targets, task_type=head, **settings)
        for parameter in trainable(self.model):
            parameter.data = parameter.data.float()  # PEFT keeps the copy of a bfloat16 head in bfloat16
        if compile:
            self.compiled = tempfile.TemporaryDirectory()
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = self.compiled.name
            self.model.compile()
        self.optimizer = torch.optim.AdamW(trainable(self.model), lr=1e-3, weight_decay=0.0)
        return {
            "attention": config._attn_implementation,
            "trainable": sum(p.numel() for p in trainable(self.model)),
            "threads": torch.get_num_threads(),
            "versions": {library.__name__: library.__version__ for library in (torch, transformers, peft)},
        }

    def step(self):
        batch = self.random_batch()
        start = time.perf_counter()
        self.step_number += 1
        loss = train_step(self.model, self.optimizer, batch, self.step_number, self.dtype)
        return {"ms": round((time.perf_counter() - start) * 1000, 2), "loss": loss.item()}

    def features(self):
        batch = self.random_batch()
        del batch["labels"]
        start = time.perf_counter()
        with torch.inference_mode(), autocast(self.dtype):
            self.model(**batch)
        return {"ms": round((time.perf_counter() - start) * 1000, 2)}

    def memory(self):
        return {"peak_mb": peak_mb(), "baseline_mb": self.baseline_mb}

    def random_batch(self):
        """A batch without padding, so that attention cannot skip work."""
        if self.image_size:
            pixels = torch.randn(self.batch, 3, self.image_size, self.image_size)
            return {"pixel_values": pixels, "labels": torch.randint(0, 2, (self.batch,))}
        ids = torch.randint(1, self.model.config.vocab_size, (self.batch, self.length))
        batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if self.head == "QUESTION_ANS":
            ends = torch.randint(0, self.length, (2, self.batch))
            return {**batch, "start_positions": ends[0], "end_positions": ends[1]}
        if self.head == "CAUSAL_LM":
            return {**batch, "labels": ids}
        shape = ids.shape if self.head == "TOKEN_CLS" else (self.batch,)
        return {**batch, "labels": torch.randint(0, self.model.config.num_labels, shape)}


def tuner_settings(method, r):
    """Returns the settings of every method with constant rank `r`."""
    if method == "bitfit":
        return {}
    if method in ("lora", "prune_lora"):
        return dict(r=r, lora_alpha=16)
    schedule = dict(tinit=ENDLESS // 2, total_step=ENDLESS)
    return dict(init_r=r, target_r=r * 2 // 3, lora_alpha=16, orth_reg_weight=0.1, **schedule)


if __name__ == "__main__":
    server = Server()
    serve(prepare=server.prepare, step=server.step, features=server.features, memory=server.memory)
