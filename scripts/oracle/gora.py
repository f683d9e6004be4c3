"""Writes src/methods/tuners/fixtures/gora.json: ranks and initial B by GoRA's released code, and by the formulas of its paper.

    python scripts/oracle/gora.py FOLDER      a clone of github.com/hhnqqq/MyTransformers
"""
import json, math, pathlib, sys, types
from unittest.mock import MagicMock
import torch
from torch import nn
from rounded import rounded

OUT = pathlib.Path(__file__).parents[2] / "src/methods/tuners/fixtures/gora.json"
for name in ("bitsandbytes", "common.utils", "common.utils.utils", "common.utils.params_manager", "common.lora_modules.adalomo", "common.lora_modules.grad_utils"):
    sys.modules[name] = MagicMock()
for name in ("common", "common.lora_modules"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [f"{sys.argv[1]}/{name.replace('.', '/')}"]
from common.lora_modules import gora
from common.lora_modules.lora import LoRAConfig

SIZES = {"q": (12, 12), "up": (12, 20), "down": (20, 12)}    # in, out
R, ALPHA, GAMMA = 3, 6.0, 0.05
# Modules in which ranks are many enough to tell settings apart.
LARGE, MEAN = {"q": (64, 64), "up": (64, 200), "down": (200, 48)}, 12


def model_with(g, sizes=SIZES):
    model = nn.Module()
    for name, (i, o) in sizes.items():
        layer = gora.LinearWithGoRA(LoRAConfig(i, o, lora_rank=R, lora_scaler=ALPHA, weight_a_init_method="kaiming"), gora_rank_stablize=True, gora_dynamic_scaling=True)
        weight, gradient = (torch.randn(o, i, generator=g) * s for s in (0.4, {"q": 0.02, "up": 0.05, "down": 0.01}[name]))
        layer.weight.data = weight
        layer.weight.grad_stored, layer.weight.iters = gradient * 4, 4
        model.add_module(name, layer)
    return model


def allocated(model, features, kind, lowest, highest, rank=R, root=False, temperature=None):
    args = types.SimpleNamespace(global_rank=0, world_size=1, device="cpu", gora_allocate_stretagy="moderate", gora_features_func=features, gora_importance_type=kind,
                                 gora_scale_importance=root, gora_softmax_importance=temperature is not None, gora_temperature=temperature, lora_rank=rank, gora_max_rank=highest, gora_min_rank=lowest)
    _, _, ranks, importance, _ = gora.get_allocated_rank(model, args)
    return {n: int(v) for n, v in ranks.items()}, {n: v ** 2 if root else v for n, v in importance.items()}


def released(*given):
    torch.manual_seed(5)
    model = model_with(torch.Generator().manual_seed(4))
    ranks, _ = allocated(model, *given)
    out = {"ranks": ranks, "a": {}, "b": {}, "scales": {}}
    for name, layer in model.named_children():
        layer.weight.grad_stored = layer.weight.grad_stored / layer.weight.iters
        layer.dynamic_init(R, int(ranks[name]), 1, True, lr=GAMMA)
        out["a"][name], out["b"][name], out["scales"][name] = layer.weight_a.flatten().tolist(), layer.weight_b.flatten().tolist(), layer.lora_scaler
    return out


def paper(case, lowest, highest):
    """The equations of sections 4.1 and 4.2 of the paper, with the random A of the released code."""
    model = model_with(torch.Generator().manual_seed(4))
    importance = {n: (m.weight * m.weight.grad_stored / 4).abs().mean().item() for n, m in model.named_children()}
    cost = {n: math.sqrt(i + o) for n, (i, o) in SIZES.items()}
    budget = sum(c * R for c in cost.values())
    return {n: min(max(round(budget * v / sum(importance.values()) / cost[n]), lowest), highest) for n, v in importance.items()}


cases = [(*given, released(*given)) for given in [(None, "union_frobenius_norm", 1, 12), ("sqrt", "union_mean", 1, 12), ("sqrt", "union_mean", 2, 5)]]
FEATURES = {None: "sum", "sqrt": "sqrt", "log1p": "log"}
KINDS = {"union_mean": "mean", "union_frobenius_norm": "frobenius", "union_2ord_norm": "rows", "grad_mean": "gradient-mean", "grad_frobenius_norm": "gradient-frobenius"}
model = model_with(torch.Generator().manual_seed(4))
told = {"r": R, "alpha": ALPHA, "gamma": GAMMA, "sizes": SIZES,
        "weights": {n: m.weight.flatten().tolist() for n, m in model.named_children()},
        "gradients": {n: (m.weight.grad_stored / 4).flatten().tolist() for n, m in model.named_children()},
        "paper": paper(cases, 1, 12),
        "cases": [{"features": FEATURES[f], "importance": KINDS[k], "min_rank": lo, "max_rank": hi, **c} for f, k, lo, hi, c in cases],
        "importance": {KINDS[k]: allocated(model, None, k, 1, 12)[1] for k in KINDS},
        "large": {"r": MEAN, "sizes": LARGE, "cases": []}}
large = model_with(torch.Generator().manual_seed(6), LARGE)
for features, kind, root, temperature in [("sqrt", "union_mean", False, None), (None, "union_mean", False, None), ("log1p", "union_mean", False, None),
                                          ("sqrt", "grad_mean", True, None), ("sqrt", "union_2ord_norm", False, 0.5), ("log1p", "grad_frobenius_norm", True, 0.7)]:
    ranks, importance = allocated(large, features, kind, 1, 48, MEAN, root, temperature)
    settings = {"features": FEATURES[features], "root_importance": root, **({"softmax_temperature": temperature} if temperature else {})}
    told["large"]["cases"].append({"settings": settings, "importance": importance, "ranks": ranks})
OUT.write_text(json.dumps(rounded(told, 9)) + "\n")
print(told["paper"], [c["ranks"] for c in told["cases"] + told["large"]["cases"]])
