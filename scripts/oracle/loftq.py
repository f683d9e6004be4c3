"""Writes src/tuners/lora/fixtures/loftq.json: LoftQ's initial factors, computed with numpy.

The algorithm is arXiv 2310.08659, algorithm 1, with one round (PEFT's default), on this project's 4-bit blocks. 64 elements
share a scale; of two candidates, it is the one with the smaller squared error.

    python scripts/oracle/loftq.py && npx biome format --write src/tuners/lora/fixtures
"""
import json, pathlib
import numpy as np

OUT = pathlib.Path(__file__).parents[2] / "src/tuners/lora/fixtures/loftq.json"
ROWS, COLUMNS, BLOCK, RANKS = 24, 128, 64, (1, 4, 16)

draws = [(i * 1103515245 + 7) % 2147483647 for i in range(ROWS * COLUMNS)]
weight = np.array([(d / 2 ** 30 - 1) * 0.1 for d in draws], dtype=np.float32).reshape(ROWS, COLUMNS).astype(np.float64)


def rounded(block):
    extreme = block[np.abs(block).argmax()]
    forms = [s * (np.clip(np.floor(block / s + 8.5), 0, 15) - 8) for s in (np.float32(abs(extreme) / 7), np.float32(extreme / -8))]
    return min(forms, key=lambda form: ((block - form) ** 2).sum())


quantized = np.array([rounded(b) for b in weight.reshape(-1, BLOCK)]).reshape(ROWS, COLUMNS)
u, s, vt = np.linalg.svd(weight - quantized)
norm = np.linalg.norm
OUT.parent.mkdir(exist_ok=True)
OUT.write_text(json.dumps({
    "rows": ROWS, "columns": COLUMNS, "rounding": norm(weight - quantized),
    "cases": [{"rank": r, "residual": norm(weight - quantized - (u[:, :r] * s[:r]) @ vt[:r]), "firstRow": ((u[:, :r] * s[:r]) @ vt[:r])[0].tolist()} for r in RANKS],
}) + "\n")
