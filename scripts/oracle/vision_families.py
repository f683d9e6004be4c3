"""Writes golden cases of vision transformers to src/models/fixtures/models, in the format of scripts/oracle/families.py.

    python scripts/oracle/vision_families.py [CASE...]

Tiny random models: logits, loss, every gradient and `pooler_output`, by transformers. Pictures of another size than the
model's interpolate the positions.
"""
import json, pathlib, sys

import torch
import transformers as t
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).parents[2] / "src/models/fixtures/models"
TINY = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, image_size=12, patch_size=4,
            initializer_range=0.3)
TEXT = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, vocab_size=9)
DINO = {k: v for k, v in TINY.items() if k != "intermediate_size"}
REGISTERS = t.Dinov2WithRegistersConfig
# name: model class, config, size of the pictures, arguments of forward
CASES = {
    "vit-pictures": (t.ViTForImageClassification, t.ViTConfig(**TINY, num_labels=3), (12, 12), {}),
    "vit-interpolated": (t.ViTForImageClassification, t.ViTConfig(**TINY, qkv_bias=False, num_labels=3), (20, 8), dict(interpolate_pos_encoding=True)),
    "deit-pictures": (t.DeiTForImageClassification, t.DeiTConfig(**TINY, num_labels=3), (12, 12), {}),
    "deit-rectangular": (t.DeiTForImageClassification, t.DeiTConfig(**{**TINY, "image_size": (8, 32)}, num_labels=3), (8, 32), {}),
    "dinov2-pictures": (t.Dinov2ForImageClassification, t.Dinov2Config(**DINO, num_labels=3), (8, 16), {}),
    "dinov2-gated": (t.Dinov2ForImageClassification, t.Dinov2Config(**DINO, use_swiglu_ffn=True, num_labels=3), (12, 12), {}),
    "dinov2-registers": (t.Dinov2WithRegistersForImageClassification, REGISTERS(**DINO, num_labels=3), (8, 20), {}),
    "clip-pictures": (t.CLIPForImageClassification, t.CLIPConfig(vision_config=TINY, text_config=TEXT, num_labels=3), (12, 12), {}),
    "siglip-pictures": (t.SiglipForImageClassification, t.SiglipConfig(vision_config=TINY, text_config=TEXT, num_labels=3), (12, 12), {}),
}


def write(name):
    kind, config, (height, width), options = CASES[name]
    torch.manual_seed(7)
    model = kind(config).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            # Ones, zeros and tiny values would hide mistakes.
            if "norm" in key or "lambda" in key or key.endswith("bias"):
                parameter.add_(torch.randn_like(parameter) * 0.3)
            elif parameter.std() < 0.1:
                parameter.copy_(torch.randn_like(parameter) * 0.3)
    folder = OUT / name
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    pixels = torch.randn(3, 3, height, width)
    labels = torch.tensor([0, 2, 1])
    save_file({"pixel_values": pixels, "labels": labels}, folder / "batch.safetensors")
    out = model(pixel_values=pixels, labels=labels, **options)
    out.loss.backward()
    base = model.base_model if hasattr(model, model.base_model_prefix) else model.vision_model
    pooled = base(pixel_values=pixels, **options).pooler_output
    expected = {"logits": out.logits.detach().contiguous(), "loss": out.loss.detach()}
    if pooled is not None:
        expected["pooled"] = pooled.detach().contiguous()
    save_file(expected, folder / "expected.safetensors")
    gradients = {k: p.grad for k, p in model.named_parameters() if p.grad is not None}
    save_file(gradients, folder / "gradients.safetensors")
    case = dict(model_type=config.model_type, task_type="SEQ_CLS", seed=7)
    (folder / "case.json").write_text(json.dumps(case, indent=2) + "\n")


for name in sys.argv[1:] or CASES:
    write(name)
