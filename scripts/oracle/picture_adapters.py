"""Adapters of pictures through PEFT, both ways.

    python scripts/oracle/picture_adapters.py write           # PEFT's adapters, to src/methods/tuners/fixtures/pictures
    python scripts/oracle/picture_adapters.py check ADAPTER BASE BATCH LOGITS   # ours, with the logits that they give here
"""
import json, pathlib, sys

import torch
from peft import AdaLoraConfig, LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageClassification

ROOT = pathlib.Path(__file__).parents[2]
OUT = ROOT / "src/methods/tuners/fixtures/pictures"
CASES = {
    "vit-lora": ("vit-pictures", LoraConfig(r=3, target_modules=["q_proj", "v_proj", "fc1"], modules_to_save=["classifier"])),
    "dinov2-adalora": ("dinov2-pictures", AdaLoraConfig(init_r=3, target_r=2, total_step=10, target_modules="all-linear", modules_to_save=["classifier"])),
}


def write():
    for name, (base, config) in CASES.items():
        folder = ROOT / "src/models/fixtures/models" / base
        torch.manual_seed(3)
        model = get_peft_model(AutoModelForImageClassification.from_pretrained(folder), config).eval()
        with torch.no_grad():
            for key, value in model.named_parameters():
                if value.requires_grad:
                    value.copy_(torch.randn_like(value) * 0.3)
        model.save_pretrained(OUT / name)
        (OUT / name / "README.md").unlink(missing_ok=True)
        path = OUT / name / "adapter_config.json"
        saved = json.loads(path.read_text())
        saved["base_model_name_or_path"] = base
        path.write_text(json.dumps(saved, indent=2) + "\n")
        batch = load_file(folder / "batch.safetensors")
        with torch.no_grad():
            logits = model(pixel_values=batch["pixel_values"]).logits
        save_file({"logits": logits.contiguous()}, OUT / name / "expected.safetensors")


def check(adapter, base, batch, logits):
    model = PeftModel.from_pretrained(AutoModelForImageClassification.from_pretrained(base, num_labels=3, ignore_mismatched_sizes=True), adapter).eval()
    with torch.no_grad():
        theirs = model(pixel_values=load_file(batch)["pixel_values"]).logits
    ours = torch.tensor(json.loads(pathlib.Path(logits).read_text()))
    print("largest difference", (theirs - ours).abs().max().item(), "of", theirs.abs().max().item())


write() if sys.argv[1] == "write" else check(*sys.argv[2:])
