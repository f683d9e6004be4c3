"""Writes golden cases of Whisper to src/models/fixtures/models, in the format of scripts/oracle/families.py.

    python scripts/oracle/whisper_model.py [CASE...]

Tiny random models over short spectrograms: logits, loss and every gradient, by transformers.
"""
import json, pathlib, sys

import torch
import transformers as t
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).parents[2] / "src/models/fixtures/models"
TINY = dict(vocab_size=23, num_mel_bins=5, d_model=12, encoder_layers=2, encoder_attention_heads=3, encoder_ffn_dim=14,
            decoder_layers=2, decoder_attention_heads=2, decoder_ffn_dim=16, max_source_positions=6, max_target_positions=9,
            pad_token_id=20, bos_token_id=20, eos_token_id=20, decoder_start_token_id=21, init_std=0.3,
            suppress_tokens=None, begin_suppress_tokens=None)
CASES = {
    "whisper-transcripts": (t.WhisperForConditionalGeneration, t.WhisperConfig(**TINY), "SEQ_2_SEQ_LM"),
    "whisper-classes": (t.WhisperForAudioClassification, t.WhisperConfig(**TINY, classifier_proj_size=4, num_labels=3), "SEQ_CLS"),
}


def write(name):
    kind, config, task = CASES[name]
    torch.manual_seed(7)
    model = kind(config).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            # Ones, zeros and tiny values would hide mistakes.
            if "norm" in key or key.endswith("bias") or parameter.std() < 0.1:
                parameter.add_(torch.randn_like(parameter) * 0.3)
    folder = OUT / name
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    features = torch.randn(3, 5, 12)
    if task == "SEQ_CLS":
        labels = torch.tensor([0, 2, 1])
    else:
        labels = torch.tensor([[1, 2, 3, 4, 20], [5, 6, 20, -100, -100], [7, 8, 9, 20, -100]])
    save_file({"input_features": features, "labels": labels}, folder / "batch.safetensors")
    out = model(input_features=features, labels=labels)
    out.loss.backward()
    save_file({"logits": out.logits.detach().contiguous(), "loss": out.loss.detach()}, folder / "expected.safetensors")
    gradients = {k: p.grad.contiguous() for k, p in model.named_parameters() if p.grad is not None}
    save_file(gradients, folder / "gradients.safetensors")
    case = dict(model_type="whisper", task_type=task, seed=7)
    (folder / "case.json").write_text(json.dumps(case, indent=2) + "\n")


for name in sys.argv[1:] or CASES:
    write(name)
