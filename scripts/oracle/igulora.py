"""Writes src/methods/tuners/fixtures/igulora.json: a training of small layers with IGU-LoRA's released modules and allocator.

    python scripts/oracle/igulora.py FOLDER      a clone of github.com/withyou12/igulora

`bySize` has a second training in which a rank of the feed-forward matrix, twice as large as the others, costs two.
"""
import json, os, pathlib, random, sys
import torch
from torch import nn
from rounded import rounded

OUT = pathlib.Path(__file__).parents[2] / "src/methods/tuners/fixtures/igulora.json"
sys.path.insert(0, f"{sys.argv[1]}/iglora")
from lora_module import SVDLoRAModule
from rank_allocator import RankAllocator, compute_orth_regu

NAMES = ("model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.v_proj", "model.layers.0.mlp.down_proj")
R, STEPS, WARMUP, FINAL, INTERVAL, POINTS = 3, 20, 3, 8, 2, 20
FACTORS = ("lora_A", "lora_E", "lora_B")


def training(shapes, multiplier, target):
    os.environ["DIM_MULTIPLIER"] = str(multiplier)
    g = torch.Generator().manual_seed(7); random.seed(7); torch.manual_seed(7)
    root = nn.Module()
    for name, (i, o) in shapes.items():
        at = root
        for part in name.split(".")[:-1]:
            if not hasattr(at, part): at.add_module(part, nn.Module())
            at = getattr(at, part)
        layer = SVDLoRAModule(nn.Linear(i, o), i, o, r=R, lora_alpha=6)
        with torch.no_grad():
            for p, s in ((layer.lora_A, 0.4), (layer.lora_B, 0.4)): p.copy_(s * torch.randn(p.shape, generator=g))
        at.add_module(name.split(".")[-1], layer)
    x, y = torch.randn(16, 4, generator=g), torch.randn(16, shapes[NAMES[-1]][1], generator=g)
    allocator = RankAllocator(root, lora_r=R, target_rank=None, init_warmup=WARMUP, final_warmup=FINAL, mask_interval=INTERVAL, beta1=0.85, beta2=0.8,
                              total_step=STEPS, target_total_rank=target)
    layers = [root.get_submodule(n) for n in shapes]
    flat = lambda get: [v for l in layers for f in FACTORS for v in get(getattr(l, f)).detach().flatten().tolist()]
    initial, trace = flat(lambda p: p), []

    def loss(coefficient):
        h = x
        for l in layers:
            l.weight_coeff.data.fill_(coefficient)
            h = torch.tanh(l(h))
        return ((h - y) ** 2).mean()

    for step in range(1, STEPS + 1):
        root.zero_grad()
        coefficient = random.choice([w / POINTS for w in range(1, POINTS + 1)])
        value = loss(coefficient)
        (value + compute_orth_regu(root)).backward()
        with torch.no_grad():
            for l in layers:
                for f in FACTORS: p = getattr(l, f); p -= 0.4 * p.grad
        gradient, stepped = flat(lambda p: p.grad), flat(lambda p: p)
        _, threshold = allocator.update_and_mask(root, step)
        trace.append({"gradient": gradient, "stepped": stepped, **({"masked": [int(v != 0) for l in layers for v in l.lora_E.flatten().tolist()]} if threshold is not None else {})})
    print([sum(t["masked"]) for t in trace if "masked" in t])
    return {"shapes": shapes, "target": target, "initial": initial, "trace": trace}


# A rank of a feed-forward matrix costs (DIM_MULTIPLIER + 1) / 2.
made = training(dict(zip(NAMES, ((4, 5), (5, 4), (4, 3)))), 1, 5)
by_size = training(dict(zip(NAMES, ((4, 5), (5, 4), (4, 14)))), 3, 6)
OUT.write_text(json.dumps(rounded({"r": R, "steps": STEPS, "tinit": WARMUP, "tfinal": FINAL, "deltaT": INTERVAL, **made, "bySize": by_size})) + "\n")
