"""Writes src/methods/optim/fixtures/bnb.json: bitsandbytes' AdamW with 8-bit moments, on a tensor of 17.5 blocks and a small one.

    python scripts/oracle/optim_8bit.py && npx biome format --write src/methods/optim/fixtures
"""
import base64, json, pathlib
import bitsandbytes, torch
from bitsandbytes.functional import create_dynamic_map

import bitsandbytes.backends.cpu.ops as cpu


def nearest(numbers, code, scales, out, size):
    """Rounds to the nearest numbers, like bitsandbytes' CUDA and default kernels. The CPU kernel of 0.50 rounds 0 to 2e-5."""
    blocks = torch.nn.functional.pad(numbers.reshape(-1), (0, -numbers.numel() % size)).reshape(-1, size)
    scales.copy_(blocks.abs().max(dim=-1)[0])
    scaled = (blocks * (1 / scales.clamp(min=1e-38)).view(-1, 1)).clamp(-1, 1).reshape(-1)[:numbers.numel()]
    out.copy_(torch.bucketize(scaled, (code[:-1] + code[1:]) / 2).to(torch.uint8).reshape(out.shape))


cpu._quant_blockwise_fp32_direct = nearest
OUT = pathlib.Path(__file__).parents[2] / "src/methods/optim/fixtures/bnb.json"
SHAPES, STEPS, LR = ((70, 64), (5,)), 6, 0.01


def numbers(count, step):
    """Integers below 2^31 of very different sizes, and some zeros. src/methods/optim/adamw-8bit.test.ts has the same function."""
    draws = [(i * 1103515245 + step * 12345 + 7) % 2147483647 for i in range(count)]
    return torch.tensor([(d / 2 ** 30 - 1) * 10.0 ** (d % 5 - 3) if d % 11 else 0.0 for d in draws], dtype=torch.float64).float()


def case(weight_decay):
    sizes = [torch.Size(s).numel() for s in SHAPES]
    cut = lambda step: [part.reshape(s) for part, s in zip(numbers(sum(sizes), step).split(sizes), SHAPES)]
    params = [torch.nn.Parameter(p) for p in cut(0)]
    optimizer = bitsandbytes.optim.AdamW8bit([{"params": params[:1], "weight_decay": weight_decay}, {"params": params[1:], "weight_decay": 0.0}], lr=LR, betas=(0.9, 0.999), eps=1e-8)
    for step in range(1, STEPS + 1):
        for p, gradient in zip(params, cut(step)): p.grad = gradient
        optimizer.step()
    state = optimizer.state[params[0]]
    pack = lambda t: base64.b64encode(t.detach().contiguous().numpy().tobytes()).decode()
    return {"weightDecay": weight_decay, "values": pack(torch.cat([p.reshape(-1) for p in params])), "m": pack(state["state1"]), "v": pack(state["state2"]),
            "mScales": state["absmax1"].tolist(), "vScales": state["absmax2"].tolist()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    OUT.write_text(json.dumps({
        "versions": {"bitsandbytes": bitsandbytes.__version__, "torch": torch.__version__},
        "shapes": SHAPES, "steps": STEPS, "lr": LR,
        "maps": {"signed": create_dynamic_map(True).tolist(), "unsigned": create_dynamic_map(False).tolist()},
        "cases": [case(0.0), case(0.1)],
    }) + "\n")
