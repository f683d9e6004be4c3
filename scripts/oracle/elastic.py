"""Writes src/methods/tuners/fixtures/elastic.json: trainings of small layers in which ElaLoRA's and FlexLoRA's released code moves ranks.

    python scripts/oracle/elastic.py ELALORA FLEXLORA

ELALORA and FLEXLORA are clones of github.com/HuandongChang/ElaLoRA and github.com/Chongjie-Si/Subspace-Tuning. The
trainings use SGD, which has no state, so that only the allocators are compared.
"""
import importlib.util, json, math, pathlib, sys, tempfile, types
from unittest.mock import MagicMock
import torch
from torch import nn
from rounded import rounded

OUT = pathlib.Path(__file__).parents[2] / "src/methods/tuners/fixtures/elastic.json"
SHAPES = {"first": (4, 5), "second": (5, 4), "third": (4, 3)}    # in, out
R, STEPS, ALPHA = 3, 22, 6.0


def load(folder, name):
    package = types.ModuleType(f"p{name}"); package.__path__ = [f"{folder}/loralib/loralib"]
    sys.modules[package.__name__] = package
    sys.modules[f"{package.__name__}.utils"] = MagicMock()
    for other in ("pandas",): sys.modules.setdefault(other, MagicMock())
    spec = importlib.util.spec_from_file_location(f"{package.__name__}.{name}", f"{folder}/loralib/loralib/{name}.py")
    module = importlib.util.module_from_spec(spec); sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def training(code, allocator, seed):
    g = torch.Generator().manual_seed(seed)
    model = nn.Sequential()
    for name, (i, o) in SHAPES.items():
        layer = code.SVDLinear(i, o, r=R, lora_alpha=ALPHA)
        with torch.no_grad():
            for p, s in ((layer.weight, 0.4), (layer.bias, 0.1), (layer.lora_A, 0.3), (layer.lora_B, 0.3), (layer.lora_E, 0.2)): p.copy_(s * torch.randn(p.shape, generator=g))
        model.add_module(name, layer)
    x, y = torch.randn(16, 4, generator=g), torch.randn(16, 3, generator=g)
    rank_allocator = allocator(code, model)
    randn, drawn = torch.randn, []
    def told(*shape, **kwargs):
        drawn.append(randn(*shape, generator=g)); return drawn[-1].clone()
    flat = lambda get: [v for n in SHAPES for f in ("lora_A", "lora_E", "lora_B") for v in get(getattr(model.get_submodule(n), f)).detach().flatten().tolist()]
    initial, trace = flat(lambda p: p), []
    for step in range(1, STEPS + 1):
        for p in model.parameters(): p.grad = None
        h = x
        for name in SHAPES: h = torch.tanh(model.get_submodule(name)(h))
        (((h - y) ** 2).mean() + code.compute_orth_regu(model, 0.1)).backward()
        with torch.no_grad():
            for n in SHAPES:
                for f in ("lora_A", "lora_E", "lora_B"): p = getattr(model.get_submodule(n), f); p -= 0.5 * p.grad
        gradient, stepped = flat(lambda p: p.grad), flat(lambda p: p)
        drawn.clear(); torch.randn = told
        rank_allocator.update_and_mask(model, step)
        torch.randn = randn
        told_now = {"gradient": gradient, "stepped": stepped} if drawn or code is ela else {}
        trace.append({**told_now, "drawn": [v for d in drawn for v in d.flatten().tolist()],
                      "ranks": [model.get_submodule(n).lora_E.shape[0] for n in SHAPES], **({"moved": flat(lambda p: p)} if drawn else {})})
    return {"initial": initial, "trace": trace}


def elalora(b, scheduler):
    def made(code, model):
        code.plot_rank = code.plot_ipt_graph = lambda *_: None
        return code.RankAllocator(model, lora_r=R, target_rank=R, init_warmup=3, final_warmup=6, mask_interval=4, beta1=0.85, beta2=0.8, total_step=STEPS,
                                  k=2, b=b, output_dir=tempfile.mkdtemp(), enable_scheduler=scheduler)
    return made


def flexlora(b, scheduler):
    return lambda code, model: code.RankAllocator(model, init_warmup=3, final_warmup=6, mask_interval=4, total_step=STEPS, b=b, enable_scheduler=scheduler)


ela, flex = load(sys.argv[1], "elalora"), load(sys.argv[2], "flexlora")
cases = {"elalora, b 2": training(ela, elalora(2, False), 1), "elalora, b 3, falling": training(ela, elalora(3, True), 2),
         "flexlora, b 1": training(flex, flexlora(1, False), 3), "flexlora, b 2, falling": training(flex, flexlora(2, True), 4)}
OUT.write_text(json.dumps(rounded({"r": R, "shapes": SHAPES, "steps": STEPS, "cases": cases})) + "\n")
for name, case in cases.items(): print(name, [t["ranks"] for t in case["trace"] if "moved" in t])
