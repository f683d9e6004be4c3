"""Writes src/methods/tuners/fixtures/trajectories: whole runs of PEFT's methods on tiny random models, in the format of the golden
trajectories (../shared/conformance), and `frozen.safetensors` for tensors that are saved but not trained.

    python scripts/oracle/peft_methods.py [NAME...]
"""
import json, os, pathlib, shutil, sys, tempfile
os.environ["HF_HUB_OFFLINE"] = "1"
import peft, torch
from peft import IA3Config, LoraConfig, get_peft_model
from peft.optimizers import create_loraplus_optimizer
from four_bits import four_bits
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification, AutoModelForSeq2SeqLM

OUT = pathlib.Path(__file__).parents[2] / "src/methods/tuners/fixtures/trajectories"
HEADS = {"SEQ_CLS": AutoModelForSequenceClassification, "CAUSAL_LM": AutoModelForCausalLM, "SEQ_2_SEQ_LM": AutoModelForSeq2SeqLM}
SHAPES = {
    "bert": dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24, max_position_embeddings=12,
                 hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0),
    "bert-64": dict(hidden_size=64, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, max_position_embeddings=12,
                    hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0),
    "gpt2": dict(n_embd=16, n_layer=1, n_head=2, n_positions=12, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, pad_token_id=0,
                 bos_token_id=1, eos_token_id=2),
    "llama": dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1, intermediate_size=24,
                  max_position_embeddings=12, pad_token_id=0, bos_token_id=1, eos_token_id=2),
    "bart": dict(d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=24,
                 decoder_ffn_dim=24, dropout=0.0, attention_dropout=0.0, activation_dropout=0.0, max_position_embeddings=12, pad_token_id=1,
                 bos_token_id=0, eos_token_id=2, decoder_start_token_id=2, forced_eos_token_id=2),
}
ENC = ["query", "value", "output.dense"]
# name: model type, task, tuner, training
CASES = {
    "bert-dora": (400, "bert", "SEQ_CLS", dict(kind="LORA", use_dora=True, target_modules=ENC, r=3, lora_alpha=6), {}),
    "gpt2-dora": (401, "gpt2", "CAUSAL_LM", dict(kind="LORA", use_dora=True, use_rslora=True, target_modules=["c_attn", "c_fc"], r=2, lora_alpha=4), {}),
    # A language model, because PEFT loses a classifier's head when it converts the adapter.
    "gpt2-pissa": (402, "gpt2", "CAUSAL_LM", dict(kind="LORA", init_lora_weights="pissa", target_modules=["c_attn", "c_fc"], r=3, lora_alpha=6), {}),
    "bert-loraplus": (404, "bert", "SEQ_CLS", dict(kind="LORA", loraplus_lr_ratio=8, bias="lora_only", target_modules=ENC, r=3, lora_alpha=6), dict(lr=1e-3)),
    # PEFT's LoRA on this project's int4 weights. It starts from the decomposition of their rounding errors.
    "bert-loftq": (406, "bert-64", "SEQ_CLS", dict(kind="LORA", init_lora_weights="loftq", target_modules=ENC, r=3, lora_alpha=6), dict(base_dtype="int4")),
    "bert-ia3": (406, "bert", "SEQ_CLS", dict(kind="IA3"), dict(lr=2e-2)),
    "gpt2-ia3": (407, "gpt2", "CAUSAL_LM", dict(kind="IA3"), dict(lr=2e-2)),
    "bart-ia3": (408, "bart", "SEQ_2_SEQ_LM", dict(kind="IA3", target_modules=["k_proj", "v_proj", "fc1", "fc2"], feedforward_modules=["fc2"]), dict(lr=2e-2)),
    "llama-pissa-dora": (420, "llama", "CAUSAL_LM", dict(kind="LORA", init_lora_weights="pissa", use_dora=True, target_modules=["q_proj", "down_proj"], r=2, lora_alpha=4), {}),
}
STEPS = 8
short = lambda n: n.replace(".default", "").replace("modules_to_save.", "").replace("lora_magnitude_vector.weight", "lora_magnitude_vector")
plain = lambda tensors: {k: v.detach().clone().contiguous() for k, v in tensors.items()}
dump = lambda path, value: path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")


def make_model(model_type, task, seed):
    config = AutoConfig.for_model(model_type.partition("-")[0], vocab_size=29, **SHAPES[model_type], **({"num_labels": 3} if task == "SEQ_CLS" else {}))
    model = HEADS[task].from_config(config, attn_implementation="eager")
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            noise = torch.randn(p.shape, generator=g)
            p.copy_(noise / p.shape[-1] ** 0.5 if p.ndim > 1 else 0.1 * noise + float(name.endswith("weight")))
    model.tie_weights()
    return model


def make_batch(task, config, seed, batch=3, length=7, even=False):
    g = torch.Generator().manual_seed(seed)
    lengths = [length] * 3 if even else [length, length - 1, length - 3]
    mask = torch.tensor([[1] * n + [0] * (length - n) for n in lengths])
    ids = torch.where(mask.bool(), torch.randint(5, 29, (batch, length), generator=g), torch.full((), config.pad_token_id or 0))
    out = {"input_ids": ids, "attention_mask": mask}
    if config.model_type == "bert": out["token_type_ids"] = torch.zeros_like(ids)
    if task == "SEQ_CLS": out["labels"] = torch.randint(0, 3, (batch,), generator=g)
    elif task == "CAUSAL_LM": out["labels"] = torch.where(mask.bool(), ids, torch.full((), -100))
    else: out["labels"] = torch.randint(5, 29, (batch, 5), generator=g)
    return out


def peft_model(model, task, kind, settings):
    configs = {"LORA": LoraConfig, "IA3": IA3Config}
    loftq = settings.get("init_lora_weights") == "loftq"
    pm = get_peft_model(model, configs[kind](task_type=task, **{**settings, **({"init_lora_weights": True} if loftq else {})})).train()
    if loftq: start_with_loftq(pm)
    if settings.get("init_lora_weights", True) is True:   # a factor that starts at zero would make the other factor's gradient zero
        g = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for n, p in sorted(pm.named_parameters()):
                if "lora_B" in n: p.copy_(0.1 * torch.randn(p.shape, generator=g))
    return pm


def start_with_loftq(pm):
    """Rounds the weights of all linear modules but the head and the pooler, which a checkpoint may lack, and decomposes the rounding errors of those that are adapted."""
    for name, module in pm.named_modules():
        linear = getattr(module, "base_layer", module)
        if not isinstance(linear, torch.nn.Linear) or any(part in name for part in ("classifier", "pooler", "lora_", "base_layer")): continue
        weight = linear.weight.detach().numpy().astype("float64")
        rounded = four_bits(weight)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(rounded))
            if not hasattr(module, "lora_A"): continue
            u, s, vt = torch.linalg.svd(torch.from_numpy(weight - rounded))
            r, root = module.r["default"], (s / module.scaling["default"]).sqrt()
            module.lora_A["default"].weight.copy_(root[:r, None] * vt[:r])
            module.lora_B["default"].weight.copy_(u[:, :r] * root[:r])


def optimizer_of(pm, tuner, lr, decay):
    if "loraplus_lr_ratio" in tuner:
        return create_loraplus_optimizer(pm, torch.optim.AdamW, lr=lr, loraplus_lr_ratio=tuner["loraplus_lr_ratio"])
    return torch.optim.AdamW([p for p in pm.parameters() if p.requires_grad], lr=lr, weight_decay=decay)


def case(name):
    seed, model_type, task, tuner, training = CASES[name]
    training = {"steps": STEPS, "lr": 5e-3, "weight_decay": 0.0, **training}
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True); folder.mkdir(parents=True)
    model = make_model(model_type, task, seed)
    model.save_pretrained(folder / "base"); (folder / "base/generation_config.json").unlink(missing_ok=True)
    settings = {k: v for k, v in tuner.items() if k not in ("kind", "loraplus_lr_ratio")}
    torch.manual_seed(seed)
    pm = peft_model(model, task, tuner["kind"], settings)
    start = pathlib.Path(tempfile.mkdtemp()) / "start"
    config = pm.peft_config["default"]
    # PEFT's conversion to plain LoRA loses DoRA's magnitudes.
    if settings.get("init_lora_weights", True) not in (True, "loftq") and not settings.get("use_dora"):
        config.init_lora_weights = True; pm.save_pretrained(start); config.init_lora_weights = settings["init_lora_weights"]
    optimizer = optimizer_of(pm, tuner, training["lr"], training["weight_decay"])
    named = [(n, p) for n, p in pm.named_parameters() if p.requires_grad]
    save_file(plain({short(n): p for n, p in named}), folder / "initial.safetensors")
    frozen = {short(n): p for n, p in pm.named_parameters() if "lora_A" in n and not p.requires_grad}
    if frozen: save_file(plain(frozen), folder / "frozen.safetensors")
    trace, batches = [], {}
    for step in range(1, STEPS + 1):
        batch = make_batch(task, model.config, seed * 1000 + step)
        batches.update({f"{step}.{k}": v for k, v in batch.items()})
        loss = pm(**batch).loss
        loss.backward()
        trace.append({"step": step, "loss": float(loss), "objective": float(loss), "lr": training["lr"]})
        optimizer.step(); optimizer.zero_grad()
        if step == 2: save_file(plain({f"2.value.{short(n)}": p for n, p in named}), folder / "middle.safetensors")
    save_file(batches, folder / "batches.safetensors")
    save_file(plain({short(n): p for n, p in named}), folder / "final.safetensors")
    pm.eval()
    probe = make_batch(task, model.config, seed * 1000)
    with torch.no_grad(): tensors = {"logits": pm(**probe).logits, **{f"batch.{k}": v for k, v in probe.items()}}
    pm.save_pretrained(folder / "adapter", **({"path_initial_model_for_weight_conversion": str(start)} if start.exists() else {}))
    if start.exists(): pm.save_pretrained(folder / "unconverted")
    for readme in folder.glob("*/README.md"): readme.unlink()
    path = folder / "adapter/adapter_config.json"
    dump(path, {**json.loads(path.read_text()), "base_model_name_or_path": "../base"})
    if hasattr(pm.base_model, "merge_and_unload"):
        with torch.no_grad(): tensors["merged_logits"] = pm.merge_and_unload()(**probe).logits
    save_file(plain(tensors), folder / "probe.safetensors")
    undetermined = [short(n) for n, _ in named if n.endswith(("key.bias", "k_proj.bias"))]
    dump(folder / "trace.json", {**({"undetermined": undetermined} if undetermined else {}), "model_type": model.config.model_type, "task_type": task, "seed": seed,
                                 "versions": {"peft": peft.__version__, "torch": torch.__version__}, "tuner": tuner, "training": training, "steps": trace})
    print(f"{name}: loss {trace[0]['loss']:.4f} -> {trace[-1]['loss']:.4f}")


if __name__ == "__main__":
    torch.set_num_threads(1); torch.use_deterministic_algorithms(True)
    for name in CASES:
        if len(sys.argv) < 2 or name in sys.argv[1:]: case(name)
