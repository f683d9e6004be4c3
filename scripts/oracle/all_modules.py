"""PEFT's side of `tsx scripts/oracle/all-modules.ts`: adapters of every linear module of every family.

    python all_modules.py write FOLDER      tiny random models, an adapter of each kind for each of them, and its logits
    python all_modules.py check FOLDER      loads the adapters that the other side has written, and compares their logits

Exit code 1 in `check`: a tensor that PEFT does not expect or misses, or a logit that differs by more than 1e-4 of the largest.
"""
import json, pathlib, sys, warnings
import torch, transformers
from module_names import HEADS, OUT
from peft import AdaLoraConfig, LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file, save_file

KINDS = {
    "LORA": lambda targets: LoraConfig(r=3, lora_alpha=6, target_modules=targets),
    "ADALORA": lambda targets: AdaLoraConfig(init_r=3, target_r=2, lora_alpha=6, total_step=10, target_modules=targets),
}
INPUTS = {"input_ids": torch.randint(5, 41, (2, 7), generator=torch.Generator().manual_seed(0)), "attention_mask": torch.ones(2, 7, dtype=torch.long)}
INPUTS["input_ids"][:, -1] = 2  # the end of a text


def randomize(tensors, seed, scale):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for _, p in sorted(tensors):
            noise = torch.randn(p.shape, generator=generator)
            p.copy_(scale * noise if p.ndim > 1 else 0.1 * noise + 1)


def logits(model, head):
    inputs = dict(INPUTS)
    if head == "SEQ_2_SEQ_LM" or head == "FEATURE_EXTRACTION" and model.config.is_encoder_decoder: inputs["decoder_input_ids"] = INPUTS["input_ids"][:, :4]
    with torch.no_grad():
        out = model(**inputs)
    if head == "QUESTION_ANS": return torch.stack([out.start_logits, out.end_logits])
    return out.last_hidden_state.mean(1) if head == "FEATURE_EXTRACTION" else out.logits


def base_of(case, folder):
    config = transformers.AutoConfig.for_model(**{**case["config"], **({"num_labels": 3} if case["head"] == "SEQ_CLS" else {})})
    model = HEADS[case["head"]].from_config(config, attn_implementation="eager").eval()
    randomize(model.named_parameters(), 1, 0.3)
    model.tie_weights()
    model.save_pretrained(folder)
    return folder


def load(case, folder):
    return HEADS[case["head"]].from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()


def write(folder):
    cases = json.loads(OUT.read_text())["cases"]
    (folder / "cases.json").write_text(json.dumps(cases))
    for i, case in enumerate(cases):
        here = folder / str(i)
        base_of(case, here / "base")
        for kind, config in KINDS.items():
            model = get_peft_model(load(case, here / "base"), config(list(case["linears"]))).eval()
            own = [(n, p) for n, p in model.named_parameters() if "lora_" in n]
            randomize([(n, p) for n, p in own if "ranknum" not in n], 2, 0.2)
            model.save_pretrained(here / kind / "theirs")
            save_file({"logits": logits(model, case["head"]).contiguous()}, here / kind / "theirs.safetensors")
    save_file(INPUTS, folder / "batch.safetensors")


def check(folder):
    bad = 0
    for i, case in enumerate(json.loads((folder / "cases.json").read_text())):
        for kind in KINDS:
            ours = folder / str(i) / kind / "ours"
            if not ours.exists(): continue
            model = PeftModel.from_pretrained(load(case, folder / str(i) / "base"), ours).eval()
            written, expected = set(load_file(ours / "adapter_model.safetensors")), set(get_peft_model_state_dict(model))
            # PEFT repeats the base's output weights. Nothing reads the pooler of a model without a head, so no tensor of it is trained.
            unread = ["base_layer.weight", "ranknum"] + [".pooler."] * (case["head"] == "FEATURE_EXTRACTION")
            expected = {key for key in expected if not any(part in key for part in unread)}
            theirs, found = logits(model, case["head"]), load_file(ours.with_suffix(".safetensors"))["logits"]
            difference = float((theirs - found.reshape(theirs.shape)).abs().max() / theirs.abs().max())
            if written != expected or difference > 1e-4:
                bad += 1
                print(f"{case['class']} {kind}: differs by {difference:.1e}, missing {sorted(expected - written)[:3]}, unexpected {sorted(written - expected)[:3]}")
    sys.exit(bad > 0)


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    warnings.simplefilter("ignore")
    torch.set_num_threads(2)
    {"write": write, "check": check}[sys.argv[1]](pathlib.Path(sys.argv[2]))
