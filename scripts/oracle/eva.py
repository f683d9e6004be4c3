"""Writes src/methods/tuners/fixtures/eva: ranks, alphas and A that PEFT's EVA gives tiny random models.

    python scripts/oracle/eva.py
"""
import json, pathlib, shutil
import torch
from peft import EvaConfig, LoraConfig, get_peft_model, initialize_lora_eva_weights
from peft.tuners.lora import eva as peft_eva
from safetensors.torch import save_file
from peft_methods import make_batch, make_model, plain, dump

OUT = pathlib.Path(__file__).parents[2] / "src/methods/tuners/fixtures/eva"
# name: model type, task, LoRA's settings, EVA's settings
CASES = {
    "bert": ("bert", "SEQ_CLS", dict(target_modules=["query", "value", "attention.output.dense", "intermediate.dense", "layer.0.output.dense"], r=3, lora_alpha=6),
             dict(use_label_mask=False, tau=0.9)),
    "gpt2": ("gpt2", "CAUSAL_LM", dict(target_modules=["c_attn", "c_fc", "mlp.c_proj"], r=2, lora_alpha=4, use_rslora=True, rank_pattern={"c_fc": 3}),
             dict(rho=1.5, tau=0.8, whiten=True, adjust_scaling_factors=False)),
}
BATCHES = 4
original = peft_eva.IncrementalPCA


class Exact(original):
    """PEFT's class, with its option for an exact decomposition."""
    def __init__(self, **kwargs): super().__init__(**{**kwargs, "lowrank": False})


def ranks_of(model, task, settings, eva, batches, pca):
    peft_eva.IncrementalPCA = pca
    config = LoraConfig(task_type=task, init_lora_weights="eva", eva_config=EvaConfig(**eva), **settings)
    pm = get_peft_model(model, config)
    initialize_lora_eva_weights(pm, batches, show_progress_bar=False)
    a = {n.split("base_model.model.")[1].split(".lora_A")[0]: p for n, p in pm.named_parameters() if "lora_A" in n}
    scales = {n.removeprefix("base_model.model."): m.scaling["default"] for n, m in pm.named_modules() if hasattr(m, "lora_A") and "default" in m.lora_A}
    return pm.peft_config["default"], a, scales


for i, (name, (model_type, task, settings, eva)) in enumerate(CASES.items()):
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True); folder.mkdir(parents=True)
    make_model(model_type, task, 700 + i).save_pretrained(folder / "base"); (folder / "base/generation_config.json").unlink(missing_ok=True)
    fresh = lambda: make_model(model_type, task, 700 + i)
    config = fresh().config
    batches = [make_batch(task, config, 9000 + 10 * i + k) for k in range(BATCHES)]
    if task == "CAUSAL_LM":
        for batch in batches: batch["labels"][:, :2] = -100
    found, a, scales = ranks_of(fresh(), task, settings, eva, batches, Exact)
    random, _, _ = ranks_of(fresh(), task, settings, eva, batches, original)
    assert found.rank_pattern == random.rank_pattern, (found.rank_pattern, random.rank_pattern)
    save_file({f"{k}.{n}": v for k, b in enumerate(batches) for n, v in b.items()}, folder / "batches.safetensors")
    save_file(plain(a), folder / "a.safetensors")
    dump(folder / "eva.json", {"task": task, "model_type": model_type, "settings": {**settings, **eva}, "batches": BATCHES, "scales": scales,
                               "ranks": {n: p.shape[0] for n, p in a.items()}, "rank_pattern": found.rank_pattern, "alpha_pattern": found.alpha_pattern})
    print(name, {n: p.shape[0] for n, p in a.items()}, found.alpha_pattern)
