"""Prepares a sequence classifier for training with a method, and takes the optimizer step that all benchmarks time."""

from contextlib import nullcontext

import torch
from peft import AdaLoraConfig, LoraConfig, get_peft_model

SIX_MATRICES = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]


def wrap(model, method, targets, task_type="SEQ_CLS", **settings):
    """Prepares `model` for training with a method. `after_step` is the method's work after each optimizer step.

    "adalora" and "lora" are PEFT's methods; PEFT also trains the head. "svd_lora" is AdaLoRA without allocation.
    "prune_lora" is LoRA with AdaLoRA's averages of importance. "bitfit" trains all biases and the head.
    """
    if method == "bitfit":
        for name, parameter in model.named_parameters():
            parameter.requires_grad = "bias" in name or name.startswith("classifier")
        model.after_step = None
        return model.train()
    config = AdaLoraConfig if method in ("adalora", "svd_lora") else LoraConfig
    wrapped = get_peft_model(model, config(task_type=task_type, target_modules=targets, **settings)).train()
    wrapped.after_step = None
    if method == "adalora":
        wrapped.after_step = wrapped.base_model.update_and_allocate
    elif method == "prune_lora":
        wrapped.after_step = Importance(wrapped)
    return wrapped


def quantize(model, form, skip):
    """Replaces the linear modules of `model`, except those named `skip`, by bitsandbytes' modules of 8 ("int8") or 4 bits ("nf4")."""
    import bitsandbytes

    for parent in list(model.modules()):
        for name, linear in list(parent.named_children()):
            if not isinstance(linear, torch.nn.Linear) or name == skip:
                continue
            sizes = (linear.in_features, linear.out_features)
            if form == "int8":
                small = bitsandbytes.nn.Linear8bitLt(*sizes, has_fp16_weights=False)
            else:
                small = bitsandbytes.nn.Linear4bit(*sizes, quant_type="nf4", compute_dtype=torch.float32)
            small.load_state_dict(linear.state_dict())
            setattr(parent, name, small.to("cpu"))
    # PEFT asks for these, which transformers sets when it quantizes a checkpoint.
    model.is_loaded_in_8bit, model.is_loaded_in_4bit = form == "int8", form == "nf4"


class Importance:
    """PEFT's `RankAllocator.update_ipt` over the factors of LoRA."""

    def __init__(self, model, beta1=0.85, beta2=0.85):
        self.factors = [p for name, p in model.named_parameters() if "lora_" in name and p.requires_grad]
        self.sensitivity = [torch.zeros_like(p) for p in self.factors]
        self.uncertainty = [torch.zeros_like(p) for p in self.factors]
        self.beta1, self.beta2 = beta1, beta2

    @torch.no_grad()
    def __call__(self, step):
        for factor, mean, deviation in zip(self.factors, self.sensitivity, self.uncertainty):
            importance = (factor * factor.grad).abs()
            mean.mul_(self.beta1).add_(importance, alpha=1 - self.beta1)
            deviation.mul_(self.beta2).add_((importance - mean).abs(), alpha=1 - self.beta2)


def trainable(model):
    return [p for p in model.parameters() if p.requires_grad]


def autocast(dtype):
    """Autocast for bfloat16, as in a Trainer with `bf16=True`. For float32, a context without effect."""
    return {"float32": nullcontext(), "bfloat16": torch.autocast("cpu", dtype=torch.bfloat16)}[dtype]


def train_step(model, optimizer, batch, step, dtype="float32"):
    """One optimizer step. AdaLoRA allocates before `zero_grad`, as PEFT requires. Returns the loss."""
    with autocast(dtype):
        loss = model(**batch).loss
    loss.backward()
    optimizer.step()
    if model.after_step:
        model.after_step(step)
    optimizer.zero_grad()
    return loss.detach()
