"""Writes src/methods/tuners/fixtures/sensitivity-lora.json: metrics, sensitivities and ranks by the formulas of Sensitivity-LoRA (arXiv 2509.09119), on the
models and batches of src/methods/tuners/fixtures/eva.

    python scripts/oracle/sensitivity_lora.py

No code of the paper is released. Equations 8 to 15, and the rule PRA of section 4.4 on the θ of equation 14, are computed here on every element of the Hessian's diagonal, one number for each weight. The
Hessian is that of the squared error of a layer's outputs (appendix E), which autograd computes for the first layer of each model as a check.
"""
import json, pathlib
import numpy as np
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification
from transformers.pytorch_utils import Conv1D
from rounded import rounded

ROOT = pathlib.Path(__file__).parents[2] / "src/methods/tuners/fixtures"
BERT = ("query", "key", "value", "attention.output.dense", "intermediate.dense", "layer.0.output.dense")
GPT2 = ("c_attn", "c_fc", "mlp.c_proj")
# model, target modules, settings
CASES = [
    ("bert", BERT, {"r": 3}),
    ("bert", BERT, {"r": 2, "top_k": 0.3, "threshold": 0.8, "calibration_batches": 2}),
    ("bert", BERT, {"r": 4, "sensitivity": "global"}),
    ("bert", BERT, {"r": 4, "sensitivity": "local"}),
    ("bert", BERT, {"r": 4, "weights": "equal"}),
    ("bert", BERT, {"r": 12}),                          # more than the features of one module
    ("bert", BERT, {"r": 4, "rank_allocation": "progressive"}),
    ("bert", BERT, {"r": 5, "rank_allocation": "progressive", "sensitivity": "local"}),
    ("gpt2", GPT2, {"r": 3}),
    ("gpt2", GPT2, {"r": 2, "rank_allocation": "progressive", "sensitivity": "global"}),
    ("gpt2", GPT2, {"r": 5, "top_k": 0.05, "threshold": 0.95, "sensitivity": "local"}),
]


def inputs_of(name, targets, count):
    task = AutoModelForSequenceClassification if name == "bert" else AutoModelForCausalLM
    model = task.from_pretrained(ROOT / f"eva/{name}/base").double().eval()
    tensors = load_file(ROOT / f"eva/{name}/batches.safetensors")
    modules = {n: m for n, m in model.named_modules() if isinstance(m, (torch.nn.Linear, Conv1D)) and n.endswith(targets)}
    rows = {n: [] for n in modules}
    for i in range(count):
        batch = {n.split(".", 1)[1]: v for n, v in tensors.items() if n.startswith(f"{i}.")}
        counted = batch["attention_mask"].bool()
        if name == "gpt2": counted &= batch["labels"] != -100
        hooks = [m.register_forward_pre_hook(lambda _, x, n=n: rows[n].append(x[0][counted].detach())) for n, m in modules.items()]
        model(**batch)
        for hook in hooks: hook.remove()
    return modules, {n: torch.cat(x) for n, x in rows.items()}


def ranks_of(shares, limits):
    """Whole numbers by largest remainder, with the ranks beyond a module's limit given to the others one by one."""
    total = round(sum(shares))
    ranks = [0] * len(shares)
    while sum(ranks) < min(total, sum(limits)):
        open_ = [k for k in range(len(shares)) if ranks[k] < limits[k]]
        ranks[max(open_, key=lambda k: shares[k] - ranks[k])] += 1
    return ranks


def progressive(theta, r, categories):
    """The example of section 4.4. The paper says nothing about modules that cannot be divided equally."""
    size, rest = divmod(len(theta), categories)
    assert rest == 0
    ranks = [0] * len(theta)
    for place, k in enumerate(sorted(range(len(theta)), key=lambda k: -theta[k])): ranks[k] = r + categories // 2 - place // size
    return ranks


def case(name, targets, settings):
    s = {"top_k": 0.5, "threshold": 0.85, "sensitivity": "both", "weights": "deviation", "rank_allocation": "scaled", "categories": 3,
         "calibration_batches": 4, **settings}
    modules, rows = inputs_of(name, targets, s["calibration_batches"])
    trace, top, effective, limits, features = [], [], [], [], []
    for k, (path, module) in enumerate(modules.items()):
        x = rows[path]
        outs = module.nf if isinstance(module, Conv1D) else module.out_features
        diagonal = np.tile((x * x).mean(0).numpy(), outs)
        if k == 0:
            weight = module.weight.detach().T if isinstance(module, Conv1D) else module.weight.detach()
            error = lambda w: 0.5 * ((x @ (w.view_as(weight) - weight).T) ** 2).sum(1).mean()
            hessian = torch.autograd.functional.hessian(error, weight.flatten().clone())
            assert np.allclose(hessian.diagonal().numpy(), diagonal)
        falling = np.sort(diagonal)[::-1]
        trace.append(diagonal.sum())
        top.append(falling[: max(1, int(s["top_k"] * len(falling) + 0.5))].mean())
        effective.append(int(np.argmax(np.cumsum(falling) / falling.sum() >= s["threshold"] - 1e-12)) + 1)
        limits.append(min(outs, x.shape[1]))
        features.append({"outFeatures": outs, "diagonal": (x * x).mean(0).tolist()})
    trace, top, effective = (np.array(v, float) for v in (trace, top, effective))
    weight = lambda v: v.std() / v.mean() ** 2 if s["weights"] == "deviation" else 0.5 / v.mean()
    local = weight(top) * top + weight(effective) * effective
    theta = {"global": trace, "local": local, "both": weight(trace) * trace + weight(local) * local}[s["sensitivity"]]
    shares = list(theta / theta.sum() * s["r"] * len(modules))
    ranks = progressive(theta, s["r"], s["categories"]) if s["rank_allocation"] == "progressive" else ranks_of(shares, limits)
    print(name, settings, ranks)
    return {"model": name, "settings": {"target_modules": list(modules), "calibration_batches": 4, **settings}, "modules": features, "trace": trace.tolist(), "top": top.tolist(),
            "effectiveRank": effective.tolist(), "sensitivity": theta.tolist(), "ranks": dict(zip(modules, ranks))}


(ROOT / "sensitivity-lora.json").write_text(json.dumps(rounded([case(*c) for c in CASES], 12)) + "\n")
