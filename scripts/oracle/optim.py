"""Writes src/methods/optim/fixtures/oracle.json: AdamW and clipping by torch, Adafactor and schedules by transformers, Lion by its paper, on small seeded cases.

    python scripts/oracle/optim.py && npx biome format --write src/methods/optim/fixtures
"""
import json, pathlib, platform
import torch, transformers
from transformers import Adafactor, get_scheduler

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


class Lion(torch.optim.Optimizer):
    """Program 1 of arXiv 2302.06675."""
    def __init__(self, params, lr, betas, weight_decay): super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))
    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                m, (b1, b2) = self.state[p].setdefault("exp_avg", torch.zeros_like(p)), group["betas"]
                p.mul_(1 - group["lr"] * group["weight_decay"]).sub_(torch.sign(b1 * m + (1 - b1) * p.grad), alpha=group["lr"])
                m.mul_(b2).add_(p.grad, alpha=1 - b2)


def beside(name, weight_decay, lr=0.05):
    """A matrix with weight decay, and a vector without."""
    g = torch.Generator().manual_seed(1)
    params = [torch.nn.Parameter(torch.randn(s, generator=g)) for s in ((3, 4), (5,))]
    groups = [{"params": params[:1], "weight_decay": weight_decay}, {"params": params[1:], "weight_decay": 0.0}]
    if name == "muon": return muon(params, weight_decay, lr)
    if name == "lion_32bit": optimizer = Lion(groups, lr=lr, betas=(0.9, 0.99), weight_decay=0.0)
    else: optimizer = Adafactor(groups, lr=lr, scale_parameter=False, relative_step=False)
    flat = lambda tensors: torch.cat([t.detach().reshape(-1) for t in tensors]).tolist()
    initial, gradients, values = flat(params), [], []
    for _ in range(STEPS):
        for p in params: p.grad = torch.randn(p.shape, generator=g) * 10 ** torch.randint(-3, 2, (), generator=g)
        gradients.append(flat([p.grad for p in params]))
        optimizer.step()
        values.append(flat(params))
    return {"name": name, "lr": lr, "weightDecay": weight_decay, "shapes": [list(p.shape) for p in params], "initial": initial, "gradients": gradients, "values": values}


def muon(params, weight_decay, lr):
    """torch.optim.Muon for matrices, AdamW for the rest. The iteration uses 32 bits; PyTorch's own rounds to bfloat16."""
    import inspect
    from torch.optim import _muon
    source = inspect.getsource(_muon).split("def _zeropower")[1].split("\ndef ")[0]
    exec("def _zeropower" + source.replace("torch.bfloat16", "torch.float32"), _muon.__dict__)
    g = torch.Generator().manual_seed(2)
    params = [torch.nn.Parameter(torch.randn(s, generator=g)) for s in ((3, 4), (5,), (6, 2), (4, 1))]
    matrices, rest = [params[0], params[2]], [params[1], params[3]]
    optimizers = [torch.optim.Muon(matrices, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"),
                  torch.optim.AdamW(rest, lr=lr, betas=(0.9, 0.99), weight_decay=0.0)]
    flat = lambda tensors: torch.cat([t.detach().reshape(-1) for t in tensors]).tolist()
    initial, gradients, values = flat(params), [], []
    for _ in range(STEPS):
        for p in params: p.grad = torch.randn(p.shape, generator=g) * 10 ** torch.randint(-3, 2, (), generator=g)
        gradients.append(flat([p.grad for p in params]))
        for optimizer in optimizers: optimizer.step()
        values.append(flat(params))
    return {"name": "muon", "lr": lr, "weightDecay": weight_decay, "shapes": [list(p.shape) for p in params], "initial": initial, "gradients": gradients, "values": values}


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
    ("reduce_lr_on_plateau", dict(patience=1)), ("reduce_lr_on_plateau", dict(patience=2, factor=0.5, cooldown=2, threshold=0.05, threshold_mode="abs")),
    ("reduce_lr_on_plateau", dict(mode="max", patience=0, factor=0.3, min_lr=1e-3, threshold=0.01)), ("reduce_lr_on_plateau", dict(patience=0, eps=1e-3)),
    ("greedy", dict(patience=1)), ("greedy", dict(patience=0, factor=0.5, min_lr=5e-3, reset_start=2, cooldown=1)),
    ("greedy", dict(mode="max", patience=1, factor=0.7, warmup=2, max_lr=0.05, threshold_mode="rel", threshold=0.01)),
    ("greedy", dict(patience=0, smooth=True, window_size=3, factor=0.8, min_lr=1e-4)),
    ("greedy", dict(patience=0, smooth=True, window_size=4, factor=0.5, min_lr=8e-3, reset_start=1)),
]

OPTIONS = [
    ("cosine_with_min_lr", dict(min_lr_rate=0.1)), ("cosine_with_min_lr", dict(min_lr=5e-3, num_cycles=1.5)),
    ("cosine_warmup_with_min_lr", dict(min_lr_rate=0.2)), ("cosine_warmup_with_min_lr", dict(min_lr=1e-3, warmup_lr_rate=0.3, num_cycles=0.75)),
    ("cosine", dict(num_cycles=1.5)), ("cosine_with_restarts", dict(num_cycles=3)), ("polynomial", dict(power=2.0, lr_end=1e-4)),
    ("inverse_sqrt", dict(timescale=7)), ("warmup_stable_decay", dict(num_decay_steps=4)),
    ("warmup_stable_decay", dict(num_stable_steps=2, num_decay_steps=3, warmup_type="cosine", decay_type="1-sqrt", min_lr_ratio=0.1)),
    ("warmup_stable_decay", dict(num_decay_steps=5, warmup_type="1-sqrt", decay_type="linear", min_lr_ratio=0.2)),
]


def main():
    names = ["linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup", "inverse_sqrt"]
    OUT.write_text(json.dumps({
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__},
        "adamw": [adamw(0.0, 0.0), adamw(0.1, 0.0), adamw(0.01, 2.0, betas=(0.8, 0.95), eps=1e-6)],
        "schedules": [schedule(n, w, t, t + 2) for n in names for w, t in ((0, 7), (3, 10), (1, 1), (5, 5))
                      if n != "polynomial" or w < t]   # divides by the number of steps after the warm-up
                     + [schedule(n, w, 12, 14, lr=0.02, **o) for n, o in OPTIONS for w in (0, 3)],
        "beside": [beside(n, d) for n in ("lion_32bit", "adafactor", "muon") for d in (0.0, 0.1)],
    }) + "\n")


if __name__ == "__main__":
    main()
