"""Writes src/methods/tuners/lora/fixtures/loftq.json: LoftQ's initial factors, computed with numpy.

The algorithm is arXiv 2310.08659, algorithm 1, with one round (PEFT's default), on this project's 4-bit blocks.

    python scripts/oracle/loftq.py && npx biome format --write src/methods/tuners/lora/fixtures
"""
import json, pathlib
import numpy as np
from four_bits import four_bits

OUT = pathlib.Path(__file__).parents[2] / "src/methods/tuners/lora/fixtures/loftq.json"
ROWS, COLUMNS, RANKS = 24, 128, (1, 4, 16)

draws = [(i * 1103515245 + 7) % 2147483647 for i in range(ROWS * COLUMNS)]
weight = np.array([(d / 2 ** 30 - 1) * 0.1 for d in draws], dtype=np.float32).reshape(ROWS, COLUMNS).astype(np.float64)

quantized = four_bits(weight)
u, s, vt = np.linalg.svd(weight - quantized)
norm = np.linalg.norm
OUT.parent.mkdir(exist_ok=True)
OUT.write_text(json.dumps({
    "rows": ROWS, "columns": COLUMNS, "rounding": norm(weight - quantized),
    "cases": [{"rank": r, "residual": norm(weight - quantized - (u[:, :r] * s[:r]) @ vt[:r]), "firstRow": ((u[:, :r] * s[:r]) @ vt[:r])[0].tolist()} for r in RANKS],
}) + "\n")
