"""Writes src/methods/optim/fixtures/oracle.json: AdamW and clipping by torch, schedules by transformers, on small seeded cases.

    python scripts/oracle/optim.py && npx biome format --write src/methods/optim/fixtures
"""
import json, pathlib, platform
import torch, transformers
from transformers import get_scheduler

OUT = pathlib.Path(__file__).parents[2] / "src/methods/optim/fixtures/oracle.json"
STEPS, DECAYED, REST = 12, 5, 4


def adamw(weight_decay, clip, betas=(0.9, 0.999), eps=1e-8, lr=0.05):
    """Two parameter groups, the first with weight decay. Gradients have very different sizes, and some are zero."""
    g = torch.Generator().manual_seed(0)
    params = [torch.nn.Parameter(torch.randn(n, generator=g)) for n in (DECAYED, REST)]
    optimizer = torch.optim.AdamW([{"params": params[:1], "weight_decay": weight_decay}, {"params": params[1:], "weight_decay": 0.0}],
                                  lr=lr, betas=betas, eps=eps)
    flat = lambda tensors: torch.cat([t.detach() for t in tensors]).tolist()
    initial, gradients, norms, values = flat(params), [], [], []
    for step in range(STEPS):
        for p in params:
            scale = torch.tensor([1e-9, 1e-3, 1.0, 10.0, 0.0])[: p.numel()]
            p.grad = torch.randn(p.numel(), generator=g) * scale
        gradients.append(flat([p.grad for p in params]))
        norms.append(float(torch.nn.utils.clip_grad_norm_(params, clip)) if clip else None)
        optimizer.step()
        values.append(flat(params))
    state = [optimizer.state[p] for p in params]
    return {"options": {"betas": betas, "eps": eps, "weightDecay": weight_decay}, "lr": lr, "clip": clip, "decayed": DECAYED,
            "initial": initial, "gradients": gradients, "norms": norms, "values": values,
            "m": flat([s["exp_avg"] for s in state]), "v": flat([s["exp_avg_sq"] for s in state])}


def schedule(name, warmup, total, steps, lr=1.0, **options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=total, scheduler_specific_kwargs=options)
    factors = []
    for _ in range(steps):
        factors.append(scheduler.get_last_lr()[0] / lr)
        optimizer.step()
        scheduler.step()
    return {"type": name, "warmup": warmup, "total": total, **({"rate": lr, "options": options} if options else {}), "factors": factors}


OPTIONS = [
    ("warmup_stable_decay", dict(num_decay_steps=4)),
    ("warmup_stable_decay", dict(num_stable_steps=2, num_decay_steps=3, warmup_type="cosine", decay_type="1-sqrt", min_lr_ratio=0.1)),
    ("warmup_stable_decay", dict(num_decay_steps=5, warmup_type="1-sqrt", decay_type="linear", min_lr_ratio=0.2)),
]


def main():
    names = ["linear", "cosine", "constant", "constant_with_warmup"]
    OUT.write_text(json.dumps({
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__},
        "adamw": [adamw(0.0, 0.0), adamw(0.1, 0.0), adamw(0.01, 2.0, betas=(0.8, 0.95), eps=1e-6)],
        "schedules": [schedule(n, w, t, t + 2) for n in names for w, t in ((0, 7), (3, 10), (1, 1), (5, 5))]
                     + [schedule(n, w, 12, 14, lr=0.02, **o) for n, o in OPTIONS for w in (0, 3)],
    }) + "\n")


if __name__ == "__main__":
    main()
