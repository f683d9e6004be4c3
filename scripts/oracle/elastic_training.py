"""Writes src/methods/tuners/fixtures/trainings.json: whole trainings of the BERT in src/methods/tuners/fixtures/eva with the released code of
IncreLoRA, ElaLoRA and FlexLoRA.

    python scripts/oracle/elastic_training.py INCRELORA ELALORA FLEXLORA

The arguments are clones of github.com/FeiyuZhang98/IncreLoRA, github.com/HuandongChang/ElaLoRA and github.com/Chongjie-Si/Subspace-Tuning.
The trainings use SGD, which has no state, because each code treats the moments of new triplets differently. "increlora, whole" has
a target that the last round exceeds, and two micro-batches a step. Here, IncreLoRA's
reserve leaves the model when ranks are final. In its code the reserve stays, with a gradient from the orthogonality term
only. As in its trainer, this term covers a module's whole factors.
"""
import importlib.util, json, pathlib, sys, tempfile, textwrap, types
from unittest.mock import MagicMock
import torch
from safetensors.torch import load_file
from torch import nn
from transformers import AutoModelForSequenceClassification
from rounded import rounded

ROOT = pathlib.Path(__file__).parents[2] / "src/methods/tuners/fixtures"
STEPS, RATE, GAMMA = 24, 0.2, 0.1
TARGETS = ("query", "key", "value", "attention.output.dense", "intermediate.dense", "0.output.dense")


def load(folder, name):
    package = types.ModuleType(f"t{name}"); package.__path__ = [f"{folder}/loralib/loralib"]
    sys.modules[package.__name__] = package
    sys.modules[f"{package.__name__}.utils"] = MagicMock()
    unused = [other for other in ("pandas", "ipdb") if other not in sys.modules]
    for other in unused: sys.modules[other] = MagicMock()
    spec = importlib.util.spec_from_file_location(f"{package.__name__}.{name}", f"{folder}/loralib/loralib/{name}.py")
    module = importlib.util.module_from_spec(spec); sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    for other in unused: del sys.modules[other]
    return module


def whole(p, axis):
    return torch.cat(list(p), axis) if isinstance(p, nn.ParameterList) else p


def factors(layer):
    return {"A": whole(layer.lora_A, 0), "E": whole(layer.lora_E, 0), "B": whole(layer.lora_B, 1)}


def adapted(code, seed, r, alpha, scale_e=0.2):
    g = torch.Generator().manual_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(ROOT / "eva/bert/base").train()
    for p in model.parameters(): p.requires_grad = False
    layers = {}
    for path, linear in list(model.named_modules()):
        if not isinstance(linear, nn.Linear) or not path.endswith(TARGETS): continue
        layer = code.SVDLinear(linear.in_features, linear.out_features, r=r, lora_alpha=alpha, merge_weights=False)
        with torch.no_grad(): layer.weight.copy_(linear.weight); layer.bias.copy_(linear.bias)
        layer.bias.requires_grad = False
        f = [whole(p, 0) if not isinstance(p, nn.ParameterList) else p[0] for p in (layer.lora_A, layer.lora_E, layer.lora_B)]
        with torch.no_grad():
            for p, s in zip(f, (0.3, scale_e, 0.3)): p.copy_(s * torch.randn(p.shape, generator=g))
        layers[path] = layer
    # Modules are replaced only after all are found.
    for path, layer in layers.items(): model.get_submodule(path.rpartition(".")[0]).add_module(path.rpartition(".")[2], layer)
    for p in model.classifier.parameters(): p.requires_grad = True
    return model, layers


def told(model, layers):
    flat = {f"{path}.lora_{n}": p.detach().flatten().tolist() for path, layer in layers.items() for n, p in factors(layer).items()}
    return {**flat, **{n: p.detach().flatten().tolist() for n, p in model.named_parameters() if n.startswith("classifier")}}


def sgd(model):
    with torch.no_grad():
        for p in model.parameters():
            if p.grad is not None: p -= RATE * p.grad


def training(code, model, layers, move, after, parts=1):
    batches = load_file(ROOT / "eva/bert/batches.safetensors")
    initial, trace = told(model, layers), []
    for step in range(1, STEPS + 1):
        for p in model.parameters(): p.grad = None
        value = 0
        for part in range(parts):
            number = ((step - 1) * parts + part) % 4
            batch = {n.split(".", 1)[1]: v for n, v in batches.items() if n.startswith(f"{number}.")}
            loss = model(**batch).loss / parts
            loss.backward()
            value += loss.item()
        norms = [torch.norm(m - torch.eye(len(m))) for layer in layers.values() for f in [factors(layer)] for m in (f["A"] @ f["A"].T, f["B"].T @ f["B"])]
        (GAMMA * sum(norms) / len(norms)).backward()
        seen = {} if after else move(model, step)
        sgd(model)
        if after: seen = move(model, step)
        trace.append({"loss": value, **seen})
    return {"initial": initial, "trace": trace, "final": told(model, layers)}


def increlora(code, total=None, parts=1):
    model, layers = adapted(code, 11, 1, 4.0, 0.0)
    settings = dict(target_rank=3, init_warmup=4, incre_interval=3, top_h=2, incre_rank_num=2, beta1=0.85, beta2=0.8)
    allocator = code.RankAllocator(model, lora_r=1, advance_learn=True, total_step=STEPS, weight_decay=0.0, target_total_rank=total, **settings)
    optimizer, final = types.SimpleNamespace(add_param_group=lambda group: None), []
    def move(model, step):
        counts = {path: len(layer.lora_A) for path, layer in layers.items()}
        allocator.update_and_increase(model, step - 1, optimizer)
        drawn = {}
        for path, layer in layers.items():
            for n in range(counts[path], len(layer.lora_A)):
                number = layer.lora_A[0].shape[0] - 1 + n
                drawn[f"{path} row {number}"] = (layer.lora_A[n].detach().double() / 0.02).flatten().tolist()
                drawn[f"{path} column {number}"] = (layer.lora_B[n].detach().double() / 0.02).flatten().tolist()
        if allocator.total_rank >= allocator.target_rank and not final:
            final.append(step)
            for layer in layers.values():
                for n in ("lora_A", "lora_E", "lora_B"): setattr(layer, n, nn.ParameterList(list(getattr(layer, n))[:-2]))
        averages = {} if final and final[0] != step else {"sensitivity": [float(allocator.exp_avg_ipt[n]) for n in layers], "uncertainty": [float(allocator.exp_avg_unc[n]) for n in layers]}
        return {"ranks": [int(layer.ranknum) for layer in layers.values()], "drawn": drawn, **averages}
    made = training(code, model, layers, move, False, parts)
    assert final, allocator.total_rank
    return {"settings": settings, **made}


def moving(code, seed, allocator):
    model, layers = adapted(code, seed, 3, 6.0)
    rank_allocator = allocator(code, model)
    randn, drawn = torch.randn, []
    g = torch.Generator().manual_seed(seed)
    def draw(*shape, **kwargs):
        drawn.append(randn(*shape, generator=g)); return drawn[-1].clone()
    def move(model, step):
        drawn.clear(); torch.randn = draw
        _, threshold = rank_allocator.update_and_mask(model, step)
        torch.randn = randn
        return {"ranks": [layer.lora_E.shape[0] for layer in layers.values()], "drawn": [v for d in drawn for v in d.flatten().tolist()]}
    return training(code, model, layers, move, True)


def elalora(code, model):
    code.plot_rank = code.plot_ipt_graph = lambda *_: None
    return code.RankAllocator(model, lora_r=3, target_rank=3, init_warmup=3, final_warmup=6, mask_interval=4, beta1=0.85, beta2=0.8, total_step=STEPS, k=2, b=3,
                              output_dir=tempfile.mkdtemp(), enable_scheduler=True)


def flexlora(code, model):
    return code.RankAllocator(model, init_warmup=3, final_warmup=6, mask_interval=4, total_step=STEPS, b=2, enable_scheduler=True)


incre, ela = load(sys.argv[1], "increlora"), load(sys.argv[2], "elalora")
cases = {"increlora": increlora(incre), "increlora, whole": increlora(incre, 15, 2),
         "elalora": moving(ela, 12, elalora), "flexlora": moving(load(sys.argv[3], "flexlora"), 13, flexlora)}
(ROOT / "trainings.json").write_text(json.dumps(rounded({"rate": RATE, "orth_reg_weight": GAMMA, "cases": cases})) + "\n")
for name, case in cases.items(): print(name, [t["loss"] for t in case["trace"]][::6], [t["ranks"] for t in case["trace"]][::3])
