"""Trains a decoder with PEFT's AdaLoRA, or generates with transformers' `generate`, on request (serve.py):

    {"op": "prepare", "model_type": "llama", "shape": {fields of its config}, "r": 12, "targets": [...], "batch": 2, "length": 128,
     "prompt": 64, "tokens": 32, "texts": 8, "dtype": "float32" | "bfloat16", "threads": 2, "writes": false}  -> {"versions"}
    {"op": "round"}   -> {"step"}: milliseconds of a training step; or {"prefill", "one", "many"}: of a prompt, of the tokens after
                         it, and of those of several texts at once
    {"op": "memory"}  -> {"peak_mb"}

A step in bfloat16 uses autocast with float32 weights; generation uses bfloat16 weights. Attention is PyTorch's
scaled_dot_product_attention. Call prepare once per process.
"""

import time

import peft
import torch
import transformers
from peft import AdaLoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from memory import peak_mb
from serve import serve
from tuner import train_step, trainable

# More steps than any benchmark runs. All are before `tinit`, so they average importance and prune nothing.
ENDLESS = 1_000_000


class Server:
    def prepare(self, model_type, shape, r, targets, batch, length, prompt, tokens, texts, dtype, threads, writes, **_):
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self.batch, self.length, self.prompt, self.tokens, self.texts = batch, length, prompt, tokens, texts
        self.dtype, self.writes, self.step_number = dtype, writes, 0
        config = AutoConfig.for_model(model_type, **shape, attn_implementation="sdpa")
        model = AutoModelForCausalLM.from_config(config)
        if writes:
            self.model = model.to(getattr(torch, dtype)).eval()
        else:
            rank = dict(init_r=r, target_r=r * 2 // 3, lora_alpha=16, orth_reg_weight=0.1)
            schedule = dict(tinit=ENDLESS // 2, total_step=ENDLESS)
            tuned = AdaLoraConfig(task_type="CAUSAL_LM", target_modules=targets, **rank, **schedule)
            self.model = get_peft_model(model, tuned).train()
            self.model.after_step = self.model.base_model.update_and_allocate
            self.optimizer = torch.optim.AdamW(trainable(self.model), lr=1e-3, weight_decay=0.0)
        return {"versions": {library.__name__: library.__version__ for library in (torch, transformers, peft)}}

    def round(self):
        return self.write() if self.writes else self.train()

    def train(self):
        ids = self.random_ids(self.batch, self.length)
        start = time.perf_counter()
        self.step_number += 1
        batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids}
        train_step(self.model, self.optimizer, batch, self.step_number, self.dtype)
        return {"step": elapsed_ms(start)}

    @torch.inference_mode()
    def write(self):
        one, many = self.random_ids(1, self.prompt), self.random_ids(self.texts, self.prompt)
        prefill, prefill_many = self.generated(one, 1), self.generated(many, 1)
        decode = self.generated(one, self.tokens) - prefill
        decode_many = self.generated(many, self.tokens) - prefill_many
        return {"prefill": prefill, "one": decode, "many": decode_many}

    def generated(self, ids, tokens):
        start = time.perf_counter()
        exactly = dict(min_new_tokens=tokens, max_new_tokens=tokens, do_sample=False, pad_token_id=0)
        self.model.generate(ids, attention_mask=torch.ones_like(ids), **exactly)
        return elapsed_ms(start)

    def random_ids(self, rows, length):
        return torch.randint(1, self.model.config.vocab_size, (rows, length))

    def memory(self):
        return {"peak_mb": peak_mb()}


def elapsed_ms(start):
    return round((time.perf_counter() - start) * 1000, 2)


if __name__ == "__main__":
    server = Server()
    serve(prepare=server.prepare, round=server.round, memory=server.memory)
