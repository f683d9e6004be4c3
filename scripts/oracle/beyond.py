"""Writes src/methods/tuners/fixtures/beyond.json: extensions of AdaLoRA, computed with NumPy and PyTorch only.

    python scripts/oracle/beyond.py && npx biome format --write src/methods/tuners/fixtures

Contains whole trainings of two layers by AdaLoRA, with PyTorch's autograd and AdamW. The variants are: the signal-to-noise
ratio as score, an orthonormal start, and rsLoRA's scale. Orthonormal vectors come from
LAPACK's QR.
"""
import json, pathlib
import numpy as np, torch

OUT = pathlib.Path(__file__).parents[2] / "src/methods/tuners/fixtures/beyond.json"
SHAPES = {"first": (7, 6), "second": (6, 8)}   # in, out
EPS = 1e-6


def against(vectors, span):
    """Orthonormalizes the vectors in order, also against the rows of `span`."""
    q, r = np.linalg.qr(np.concatenate([span, vectors]).T)
    return (q * np.sign(np.diag(r))).T[len(span):]


def training(steps, seed, score="sensitivity-uncertainty", init="normal", scale="standard", **s):
    rng = np.random.default_rng(seed)
    tensor = lambda *shape: torch.tensor(rng.standard_normal(shape))
    x, y = tensor(16, 7), tensor(16, 8)
    base = {m: tensor(o, i) / i**0.5 for m, (i, o) in SHAPES.items()}
    r, n = s["init_r"], len(SHAPES)
    # PEFT computes rsLoRA's scale from the alpha in the file.
    alpha = s["lora_alpha"] * (r**0.5 if scale == "rslora" else 1) / (r + 1e-5)
    p = {}
    for m, (i, o) in SHAPES.items():
        a, b = rng.standard_normal((r, i)) * 0.3, rng.standard_normal((o, r)) * 0.3
        if init == "orthonormal": a, b = against(a, a[:0]), against(b.T, b.T[:0]).T
        p[m] = {"A": torch.tensor(a), "E": torch.zeros(r, dtype=torch.float64), "B": torch.tensor(b)}
    names = [(m, f) for m in SHAPES for f in "AEB"]
    for m, f in names:
        p[m][f] = torch.nn.Parameter(p[m][f].float().double())   # rounded to f32, as it is stored
    optimizer = torch.optim.AdamW([p[m][f] for m, f in names], lr=s["lr"], weight_decay=0.0, eps=1e-8)
    mean = {k: np.zeros(tuple(p[k[0]][k[1]].shape)) for k in names}
    spread = {k: np.zeros_like(v) for k, v in mean.items()}
    last, start, end = steps - s["tfinal"], r * n, int(s["target_r"] * n)
    flat = lambda get: [float(f"{v:.7g}") for k in names for v in np.asarray(get(k)).reshape(-1)]
    value = lambda k: p[k[0]][k[1]].detach().numpy()
    initial, trace, keep = flat(value), [], {}
    for step in range(1, steps + 1):
        h = x
        for m in SHAPES:
            d = p[m]
            h = h @ base[m].T + alpha * (h @ d["A"].T * d["E"]) @ d["B"].T
            if m == "first": h = torch.tanh(h)
        loss = ((h - y) ** 2).mean()
        eye = torch.eye(r, dtype=torch.float64)
        grams = [g for m in SHAPES for g in (p[m]["A"] @ p[m]["A"].T, p[m]["B"].T @ p[m]["B"])]
        distances = [(g - eye).pow(2).sum() for g in grams]
        # The square root has no derivative at orthonormal P and Q. Zero is used instead.
        penalty = sum(torch.where(q > 1e-10, q.clamp(min=1e-10).sqrt(), 0 * q) for q in distances) / len(grams)
        optimizer.zero_grad()
        (loss + s["orth_reg_weight"] * penalty).backward()
        grad = {}
        for m, f in names:
            g = p[m][f].grad
            g.copy_(torch.tensor([float(f"{v:.5g}") for v in g.reshape(-1).tolist()]).float().double().reshape(g.shape))
            grad[m, f] = g.numpy().copy()
        optimizer.step()
        if step < last:
            for k in names:
                i = np.abs(value(k) * grad[k])
                mean[k] = s["beta1"] * mean[k] + (1 - s["beta1"]) * i
                spread[k] = s["beta2"] * spread[k] + (1 - s["beta2"]) * np.abs(i - mean[k])
        left = 1 - (step - s["tinit"]) / (last - s["tinit"])
        budget = start if step <= s["tinit"] else end if step >= last else int(end + (start - end) * left**3)
        masks = step == last or (s["tinit"] < step < last and step % s["deltaT"] == 0)
        if masks:
            of = {k: mean[k] / (spread[k] + EPS) if score == "signal-to-noise" else mean[k] * spread[k] for k in names}
            scores = {m: of[m, "E"] + of[m, "A"].mean(1) + of[m, "B"].mean(0) for m in SHAPES}
            least = np.sort(np.concatenate(list(scores.values())))[::-1][budget - 1]
            keep = {m: scores[m] >= least for m in SHAPES}
        if keep and (masks or step > last):
            with torch.no_grad():
                for m in SHAPES: p[m]["E"][torch.tensor(~keep[m])] = 0
        told = {"values": flat(value)} if masks or step == steps else {}
        trace.append({"gradient": flat(grad.get), **told, "keep": [int(v) for m in SHAPES for v in (keep[m] if keep else [1] * r)]})
    s = {k: v for k, v in s.items() if k != "lr"} | {"score": score, "scale": scale, "shrink": "at-export"}
    return {"settings": s, "shapes": SHAPES, "lr": optimizer.param_groups[0]["lr"], "totalStep": steps, "alpha": alpha, "initial": initial, "trace": trace}


def main():
    common = dict(steps=14, init_r=3, target_r=1.5, tinit=2, tfinal=4, deltaT=2, beta1=0.8, beta2=0.9, lora_alpha=8, orth_reg_weight=0.1, lr=0.02)
    rows = np.random.default_rng(9).standard_normal((4, 7))
    fixture = {
        "trainings": {
            "signal-to-noise": training(seed=1, score="signal-to-noise", **common),
            "orthonormal start, rsLoRA's scale": training(seed=5, init="orthonormal", scale="rslora", **common),
        },
        "orthonormal": {"rows": rows.tolist(), "result": against(rows, rows[:0]).tolist()},
    }
    OUT.write_text(json.dumps(fixture) + "\n")


if __name__ == "__main__":
    main()
