"""A sequence classifier wrapped by PEFT, and the one optimizer step both benchmarks time."""

from contextlib import nullcontext

import torch
from peft import AdaLoraConfig, LoraConfig, get_peft_model

SIX_MATRICES = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]


def wrap(model, method, targets, **settings):
    """`model` frozen, with `method` ("adalora" or "lora") injected. PEFT trains the head by itself."""
    config = {"adalora": AdaLoraConfig, "lora": LoraConfig}[method]
    return get_peft_model(model, config(task_type="SEQ_CLS", target_modules=targets, **settings)).train()


def trainable(model):
    return [p for p in model.parameters() if p.requires_grad]


def autocast(dtype):
    """float32 as it is, bfloat16 by autocast, as a Trainer with `bf16=True` runs it."""
    return {"float32": nullcontext(), "bfloat16": torch.autocast("cpu", dtype=torch.bfloat16)}[dtype]


def train_step(model, optimizer, batch, step, dtype="float32"):
    """One optimizer step; AdaLoRA allocates where PEFT wants it, before `zero_grad`. Returns the loss."""
    with autocast(dtype):
        loss = model(**batch).loss
    loss.backward()
    optimizer.step()
    if hasattr(model.base_model, "update_and_allocate"):
        model.base_model.update_and_allocate(step)
    optimizer.zero_grad()
    return loss.detach()
