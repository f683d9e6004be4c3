"""Computes the logits of models with adapters in mlx-lm.

    python mlx_adapters.py FOLDER...

Each FOLDER has `base`, the adapter `mlx` and `ids.json`. Prints one JSON line each: the logits of all tokens.
"""

import json
import sys
from pathlib import Path

import mlx.core as mx
from mlx_lm.tuner.utils import load_adapters
from mlx_lm.utils import load_model
from transformers import AutoConfig


def completed(base):
    """The config with transformers' defaults, which mlx-lm does not know."""
    config = AutoConfig.from_pretrained(base).to_dict()
    rope = config.get("rope_parameters") or {}
    known = {"rope_theta": rope.get("rope_theta"), "rotary_emb_base": rope.get("rope_theta")}
    known["rotary_pct"] = rope.get("partial_rotary_factor")
    stored = json.loads((base / "config.json").read_text())
    filled = {**config, **{key: value for key, value in known.items() if value is not None}}
    return {key: value for key, value in filled.items() if key not in stored and value is not None}


for name in sys.argv[1:]:
    folder = Path(name)
    model, _ = load_model(folder / "base", model_config=completed(folder / "base"))
    model = load_adapters(model, str(folder / "mlx"))
    model.eval()
    ids = json.loads((folder / "ids.json").read_text())
    print(json.dumps(model(mx.array([ids]))[0].astype(mx.float32).tolist()))
