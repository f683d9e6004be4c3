"""Writes src/methods/tuners/fixtures/oracle.json: results of PEFT's allocator, modules and patterns.

The allocator gets given gradients, and is also run with the paper's other scores. Doublets are pruned by the same rules in
PyTorch. Modules are those that PEFT chooses.

    python scripts/oracle/tuners.py && npx biome format --write src/methods/tuners/fixtures
"""
import json, pathlib, platform
import peft, torch
from peft import AdaLoraConfig, LoraConfig, get_peft_model
from ablations import scored_by
from peft.tuners.tuners_utils import check_target_module_exists
from peft.utils.other import get_pattern_key

OUT = pathlib.Path(__file__).parents[2] / "src/methods/tuners/fixtures/oracle.json"
LR = 0.125   # exact in binary; the replay uses plain gradient descent


def allocator(steps=20, score=None, **settings):
    """Trains by gradient descent with the given gradients and PEFT's `update_and_allocate`. Returns the values after each step."""
    with scored_by(score):
        return allocation(steps, settings, {} if score is None else {"score": score})


def allocation(steps, settings, score):
    model = torch.nn.ModuleDict({"first": torch.nn.Linear(3, 2), "second": torch.nn.Linear(2, 4)})
    model.forward = lambda x: model["second"](model["first"](x))
    pm = get_peft_model(model, AdaLoraConfig(target_modules=["first", "second"], total_step=steps, **settings))
    params = [(n, p) for n, p in pm.named_parameters() if "lora_" in n and p.requires_grad]
    g = torch.Generator().manual_seed(0)
    short = lambda n: n.removeprefix("base_model.model.").removesuffix(".default")
    flat = lambda tensors: torch.cat([t.detach().reshape(-1) for t in tensors]).tolist()
    with torch.no_grad():
        for _, p in params: p.copy_(torch.randn(p.shape, generator=g))
    layout, offset = {}, 0
    for n, p in params:
        layout[short(n)] = {"offset": offset, "shape": list(p.shape)}
        offset += p.numel()
    initial, trace = flat(p for _, p in params), []
    for step in range(1, steps + 1):
        for _, p in params: p.grad = torch.randn(p.shape, generator=g).mul(64).round().div(64)
        gradient = flat(p.grad for _, p in params)
        with torch.no_grad():
            for _, p in params: p.sub_(p.grad, alpha=LR)
        pm.base_model.update_and_allocate(step)
        ipt, unc = pm.base_model.rankallocator.exp_avg_ipt, pm.base_model.rankallocator.exp_avg_unc
        row = {"gradient": gradient, "budget": pm.base_model.rankallocator.budget_schedule(step)[0],
               "lora_E": {short(n): p.detach().view(-1).tolist() for n, p in params if "lora_E" in n}}
        if step in (1, 2, steps // 2) and not score:
            names = [n.removeprefix("base_model.model.") for n, _ in params]
            row["sensitivity"], row["uncertainty"] = (flat(next(v for k, v in d.items() if k.endswith(n)) for n in names) for d in (ipt, unc))
        trace.append(row)
    return {"settings": {**settings, **score}, "totalStep": steps, "lr": LR, "layout": layout, "initial": initial, "trace": trace}


def doublets(steps=20, **s):
    """Like `allocator`, for LoRA's doublets. The score uses the means over the row of A and the column of B. Pruning sets both to zero."""
    shapes = {"first": (3, 2), "second": (2, 4)}
    g = torch.Generator().manual_seed(1)
    factors = {m: [torch.randn(s["init_r"], i, generator=g), torch.randn(o, s["init_r"], generator=g)] for m, (i, o) in shapes.items()}
    mean = {m: [torch.zeros_like(p) for p in pair] for m, pair in factors.items()}
    spread = {m: [torch.zeros_like(p) for p in pair] for m, pair in factors.items()}
    start, end, last = s["init_r"] * len(shapes), s["target_r"] * len(shapes), steps - s["tfinal"]
    flat = lambda f: torch.cat([p.reshape(-1) for pair in f.values() for p in pair]).tolist()
    initial, trace, keep = flat(factors), [], {}
    for step in range(1, steps + 1):
        gradients = {m: [torch.randn(p.shape, generator=g).mul(64).round().div(64) for p in pair] for m, pair in factors.items()}
        for m in shapes:
            for k in (0, 1):
                factors[m][k] = factors[m][k] - LR * gradients[m][k]
                if step >= last: continue
                i = (factors[m][k] * gradients[m][k]).abs()
                mean[m][k] = s["beta1"] * mean[m][k] + (1 - s["beta1"]) * i
                spread[m][k] = s["beta2"] * spread[m][k] + (1 - s["beta2"]) * (i - mean[m][k]).abs()
        left = 1 - (step - s["tinit"]) / (last - s["tinit"])
        budget = start if step <= s["tinit"] else end if step >= last else int(end + (start - end) * left**3)
        masks = step == last or s["tinit"] < step < last and step % s["deltaT"] == 0
        if masks:
            scores = {m: (mean[m][0] * spread[m][0]).mean(1) + (mean[m][1] * spread[m][1]).mean(0) for m in shapes}
            least = torch.cat(list(scores.values())).sort(descending=True).values[budget - 1]
            keep = {m: scores[m] >= least for m in shapes}
        if keep and (masks or step > last):
            for m in shapes:
                factors[m][0][~keep[m]] = 0
                factors[m][1][:, ~keep[m]] = 0
        trace.append({"gradient": flat(gradients), "budget": budget, "values": flat(factors)})
    return {"settings": s, "totalStep": steps, "lr": LR, "shapes": shapes, "initial": initial, "trace": trace}


PATHS = [f"bert.encoder.layer.{i}.{n}" for i in (0, 1, 11) for n in
         ("attention.self.query", "attention.self.value", "attention.output.dense", "intermediate.dense", "output.dense")] + \
        ["bert.pooler.dense", "classifier", "model.layers.2.mlp.experts.1.up_proj"]
SELECTIONS = [
    dict(target_modules=["query", "value"]),
    dict(target_modules=["output.dense"]),
    dict(target_modules=["dense"], exclude_modules=["pooler.dense", "attention.output.dense"]),
    dict(target_modules=["classifier", "query"], modules_to_save=["classifier"]),
    dict(target_modules=["dense"], modules_to_save=["pooler", "attention"]),
    dict(target_modules=["dense", "bert.pooler.dense", "up_proj"], layers_to_transform=[1, 2]),
    dict(target_modules=["dense", "query"], layers_to_transform=11),
    dict(target_modules=["dense", "up_proj"], layers_to_transform=1, layers_pattern="layer"),
    dict(target_modules=["dense", "up_proj"], layers_to_transform=[1], layers_pattern=["experts", "layers"]),
    dict(target_modules=r".*\.(query|value)"),
    dict(target_modules=r".*layer\.\d\..*dense", exclude_modules=r".*attention.*"),
    dict(target_modules=r"bert\.(?P<part>pooler)\.dense\Z"),
]
PATTERNS = [
    ({"query": 3, "layer.0.attention.self.query": 5}, "bert.encoder.layer.0.attention.self.query"),
    ({"layer.0.attention.self.query": 5, "query": 3}, "bert.encoder.layer.0.attention.self.query"),
    ({"layer.1.output.dense": 5}, "bert.encoder.layer.11.output.dense"),
    ({"output.dense": 5}, "bert.encoder.layer.1.attention.output.dense"),
    ({"ery": 5}, "bert.encoder.layer.1.attention.self.query"),
    ({r"layer\.(1|11)\..*": 7}, "bert.encoder.layer.11.intermediate.dense"),
    ({"^bert.pooler.dense": 7}, "bert.pooler.dense"),
    ({"^pooler.dense": 7}, "bert.pooler.dense"),
    ({"query|value": 7}, "bert.encoder.layer.1.attention.self.value"),
    ({"a+b": 7}, "a+b"),
]


def main():
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "peft": peft.__version__},
        "allocator": [allocator(init_r=3, target_r=1, tinit=3, tfinal=5, deltaT=2, lora_alpha=8),
                      allocator(init_r=4, target_r=2, tinit=0, tfinal=0, deltaT=3, beta1=0.5, beta2=0.9),
                      allocator(score="sensitivity", init_r=4, target_r=2, tinit=2, tfinal=4, deltaT=2),
                      allocator(score="magnitude", init_r=4, target_r=1, tinit=2, tfinal=4, deltaT=3)],
        "doublets": doublets(init_r=4, target_r=2, tinit=3, tfinal=5, deltaT=2, beta1=0.8, beta2=0.9),
        "paths": PATHS,
        "selections": [{"selection": s, "matched": [p for p in PATHS if type(r := check_target_module_exists(LoraConfig(**s), p)).__name__ != "_ExcludedModule" and r]}
                       for s in SELECTIONS],
        "patterns": [{"patterns": p, "module": m, "value": p.get(get_pattern_key(p.keys(), m))} for p, m in PATTERNS],
    }) + "\n")


if __name__ == "__main__":
    main()
