"""Writes src/methods/tuners/fixtures/measured-trainings.json: whole trainings of the BERT in src/methods/tuners/fixtures/eva with the released code of IGU-LoRA and
GoRA, and with PEFT's EVA. EVA and GoRA measure the four batches first.

    python scripts/oracle/measured_training.py IGULORA MYTRANSFORMERS

The arguments are clones of github.com/withyou12/igulora and github.com/hhnqqq/MyTransformers. SGD has no state. IGU-LoRA trains without its
orthogonality term: its code keeps dropped triplets, whose term would go on. Its points of the path are those that this project draws; after the
final ranks there is no path.
"""
import json, os, pathlib, sys, types
from unittest.mock import MagicMock
import torch
from peft import EvaConfig, LoraConfig, get_peft_model, initialize_lora_eva_weights
from peft.tuners.lora import eva as peft_eva
from peft_methods import draws
from safetensors.torch import load_file
from torch import nn
from transformers import AutoModelForSequenceClassification
from rounded import rounded

os.environ["DIM_MULTIPLIER"] = "1"                     # every rank costs the same
IGULORA, GORA = sys.argv[1:3]
ROOT = pathlib.Path(__file__).parents[2] / "src/methods/tuners/fixtures"
STEPS, RATE, POINTS, R, ALPHA, GAMMA = 24, 0.2, 20, 3, 6.0, 0.05
TARGETS = ("query", "key", "value", "attention.output.dense", "intermediate.dense", "0.output.dense")
ALIASES = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.up_proj", "mlp.down_proj")
BATCHES = [{n.split(".", 1)[1]: v for n, v in load_file(ROOT / "eva/bert/batches.safetensors").items() if n.startswith(f"{i}.")} for i in range(4)]
flat = lambda p: p.detach().flatten().tolist()


def base():
    model = AutoModelForSequenceClassification.from_pretrained(ROOT / "eva/bert/base").train()
    for n, p in model.named_parameters(): p.requires_grad = n.startswith("classifier")
    return model, {n: m for n, m in model.named_modules() if isinstance(m, nn.Linear) and n.endswith(TARGETS)}


def replace(model, layers):
    for path, layer in layers.items(): model.get_submodule(path.rpartition(".")[0]).add_module(path.rpartition(".")[2], layer)


def training(model, told, before=lambda step: None, after=lambda step: {}):
    initial, trace = told(), []
    for step in range(1, STEPS + 1):
        for p in model.parameters(): p.grad = None
        before(step)
        loss = model(**BATCHES[(step - 1) % 4]).loss
        loss.backward()
        with torch.no_grad():
            for p in model.parameters():
                if p.grad is not None and p.requires_grad: p -= RATE * p.grad
        trace.append({"loss": loss.item(), **after(step)})
    return {"initial": initial, "trace": trace, "final": told()}


def head(model): return {n: flat(p) for n, p in model.named_parameters() if n.startswith("classifier")}


def igulora():
    sys.path.append(f"{IGULORA}/iglora")
    from lora_module import SVDLoRAModule
    from rank_allocator import RankAllocator
    model, linears = base()
    g, root, layers = torch.Generator().manual_seed(21), nn.Module(), {}
    for (path, linear), alias in zip(linears.items(), ALIASES):
        layer = SVDLoRAModule(linear, linear.in_features, linear.out_features, r=R, lora_alpha=ALPHA)
        with torch.no_grad():
            for p, s in ((layer.lora_A, 0.3), (layer.lora_E, 0.3), (layer.lora_B, 0.3)): p.copy_(s * torch.randn(p.shape, generator=g))
        layers[path] = layer
        at = root
        for part in ("model", "layers", "0", alias.split(".")[0]):
            if not hasattr(at, part): at.add_module(part, nn.Module())
            at = getattr(at, part)
        at.add_module(alias.split(".")[1], layer)
    replace(model, layers)
    warmup, final, interval, target = 3, 8, 2, 9
    allocator = RankAllocator(root, lora_r=R, target_rank=None, init_warmup=warmup, final_warmup=final, mask_interval=interval, beta1=0.85, beta2=0.8,
                              total_step=STEPS, target_total_rank=target)
    told = lambda: {**{f"{path}.lora_{n}": flat(getattr(layer, f"lora_{n}")) for path, layer in layers.items() for n in "AEB"}, **head(model)}
    def before(step):
        point = (1 + int(draws(0, "fraction", step - 1, 0, 1)[0] * POINTS)) / POINTS if step <= STEPS - final else 1.0
        for layer in layers.values(): layer.weight_coeff.data.fill_(point)
    def after(step):
        _, threshold = allocator.update_and_mask(root, step)
        return {"kept": [[int(v != 0) for v in flat(layer.lora_E)] for layer in layers.values()]} if threshold is not None else {}
    settings = {"init_r": R, "target": f"{target} triplets", "lora_alpha": ALPHA, "tinit": warmup, "tfinal": final, "deltaT": interval, "beta1": 0.85, "beta2": 0.8, "path_points": POINTS}
    return {"settings": settings, **training(model, told, before, after)}


def gora():
    for name in ("bitsandbytes", "common.utils", "common.utils.utils", "common.utils.params_manager", "common.lora_modules.adalomo", "common.lora_modules.grad_utils"):
        sys.modules[name] = MagicMock()
    for name in ("common", "common.lora_modules"):
        sys.modules[name] = types.ModuleType(name); sys.modules[name].__path__ = [f"{GORA}/{name.replace('.', '/')}"]
    from common.lora_modules import gora as code
    from common.lora_modules.lora import LoRAConfig
    model, linears = base()
    for m in linears.values(): m.weight.requires_grad = True
    for batch in BATCHES: model(**batch).loss.backward()    # the sum of four gradients
    layers = {}
    for path, linear in linears.items():
        layer = code.LinearWithGoRA(LoRAConfig(linear.in_features, linear.out_features, lora_rank=R, lora_scaler=ALPHA, weight_a_init_method="kaiming"),
                                    gora_rank_stablize=True, gora_dynamic_scaling=True)
        layer.weight, layer.bias = (nn.Parameter(p.detach().clone(), requires_grad=False) for p in (linear.weight, linear.bias))
        layer.weight.grad_stored, layer.weight.iters = linear.weight.grad.clone(), 4
        layers[path] = layer
    replace(model, layers)
    args = types.SimpleNamespace(global_rank=0, world_size=1, device="cpu", gora_allocate_stretagy="moderate", gora_features_func="sqrt", gora_importance_type="union_mean",
                                 gora_scale_importance=False, gora_softmax_importance=False, lora_rank=R, gora_max_rank=12, gora_min_rank=1)
    ranks = code.get_allocated_rank(model, args)[2]
    torch.manual_seed(5)
    for path, layer in layers.items():
        layer.weight.grad_stored = layer.weight.grad_stored / 4
        layer.dynamic_init(R, int(ranks[path]), 1, True, lr=GAMMA)
    told = lambda: {**{f"{path}.lora_{n.upper()}": flat(getattr(layer, f"weight_{n}")) for path, layer in layers.items() for n in "ab"}, **head(model)}
    settings = {"r": R, "lora_alpha": ALPHA, "gamma": GAMMA, "gradient_batches": 4, "min_rank": 1, "max_rank": 12, "rounding": "down", "direction": "ascent"}
    return {"settings": settings, "ranks": [int(ranks[path]) for path in layers], **training(model, told)}


def eva():
    original = peft_eva.IncrementalPCA
    class Exact(original):
        """PEFT's class with the exact decomposition that it also offers."""
        def __init__(self, **kwargs): super().__init__(**{**kwargs, "lowrank": False})
    peft_eva.IncrementalPCA = Exact
    model, linears = base()
    config = LoraConfig(task_type="SEQ_CLS", init_lora_weights="eva", eva_config=EvaConfig(use_label_mask=False, tau=0.9), target_modules=list(linears), r=R, lora_alpha=ALPHA)
    pm = get_peft_model(model, config).train()
    initialize_lora_eva_weights(pm, BATCHES, show_progress_bar=False)
    short = lambda n: n.removeprefix("base_model.model.").replace(".modules_to_save.default", "").replace(".default.weight", "")
    told = lambda: {short(n): flat(p) for n, p in pm.named_parameters() if p.requires_grad}
    ranks = {short(n).removesuffix(".lora_A"): p.shape[0] for n, p in pm.named_parameters() if "lora_A" in n}
    made = training(pm, told)
    return {"settings": {"r": R, "lora_alpha": ALPHA, "tau": 0.9}, "ranks": [ranks.get(path, 0) for path in linears], **made}


cases = {"eva": eva(), "igulora": igulora(), "gora": gora()}    # the last one replaces modules that the first needs
(ROOT / "measured-trainings.json").write_text(json.dumps(rounded({"rate": RATE, "cases": cases})) + "\n")
for name, case in cases.items(): print(name, [t["loss"] for t in case["trace"]][::6], case.get("ranks", [sum(map(sum, t["kept"])) for t in case["trace"] if "kept" in t]))
