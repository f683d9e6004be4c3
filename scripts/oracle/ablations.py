"""Writes golden cases with variants of PEFT's AdaLoRA, as whole training runs.

    python scripts/oracle/ablations.py ../shared/conformance OUT && npm run conformance -- OUT

Variants: the scores of the paper's ablations (table 4), sensitivity over uncertainty as score, an orthonormal start,
rsLoRA's scale, and no orthogonality term. Everything else is PEFT's. The generator is that of the first folder.
"""
import contextlib, importlib.util, json, pathlib, sys
import torch
from safetensors.torch import load_file, save_file
from peft.tuners.adalora.layer import AdaLoraLayer, RankAllocator


@contextlib.contextmanager
def scored_by(score):
    """Replaces PEFT's score. `sensitivity`: |w g| of the last step, without averages. `magnitude`: |lambda|. None: no change."""
    ours = {
        None: RankAllocator._element_score,
        "sensitivity": lambda self, n: self.ipt[n],
        "signal-to-noise": lambda self, n: self.exp_avg_ipt[n] / (self.exp_avg_unc[n] + 1e-6),
        "magnitude": lambda self, n: self.values[n].detach().abs() * (1 if "lora_E" in n else 0),
    }[score]
    update, element = RankAllocator.update_ipt, RankAllocator._element_score

    def remembering(self, model):
        self.values = dict(model.named_parameters())
        return update(self, model)

    RankAllocator.update_ipt, RankAllocator._element_score = remembering, ours
    try:
        yield
    finally:
        RankAllocator.update_ipt, RankAllocator._element_score = update, element


@contextlib.contextmanager
def started(orthonormal):
    """Makes the initial P and Q orthonormal."""
    plain = AdaLoraLayer.reset_lora_parameters

    def reset(self, name):
        plain(self, name)
        if orthonormal and name in self.lora_A:
            for factor in (self.lora_A[name], self.lora_B[name]): torch.nn.init.orthogonal_(factor)

    AdaLoraLayer.reset_lora_parameters = reset
    try:
        yield
    finally:
        AdaLoraLayer.reset_lora_parameters = plain


def main(shared, out):
    spec = importlib.util.spec_from_file_location("golden", pathlib.Path(shared) / "generate.py")
    g = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(g)
    bert = dict(kind="ADALORA", target_modules=g.ENC_TARGETS, init_r=6, target_r=3, tinit=6, tfinal=10, deltaT=2, lora_alpha=16)
    llama = dict(kind="ADALORA", target_modules=["q_proj", "v_proj", "down_proj"], init_r=5, target_r=2, tinit=4, tfinal=6, deltaT=1, lora_alpha=10)
    plain, clipped = dict(steps=40, lr=3e-3, weight_decay=0.0), dict(steps=30, lr=5e-3, weight_decay=0.01, clip=1.0)
    cases = {
        "bert-sensitivity": ("sensitivity", "bert", "SEQ_CLS", dict(g.ENC), dict(bert, orth_reg_weight=0.5), plain),
        "llama-sensitivity": ("sensitivity", "llama", "CAUSAL_LM", dict(g.DEC), dict(llama, orth_reg_weight=0.3), clipped),
        "bert-magnitude": ("magnitude", "bert", "SEQ_CLS", dict(g.ENC), dict(bert, orth_reg_weight=0.5), plain),
        "llama-magnitude": ("magnitude", "llama", "CAUSAL_LM", dict(g.DEC), dict(llama, orth_reg_weight=0.3), clipped),
        "bert-signal-to-noise": ("signal-to-noise", "bert", "SEQ_CLS", dict(g.ENC), dict(bert, orth_reg_weight=0.5), plain),
        "llama-signal-to-noise": ("signal-to-noise", "llama", "CAUSAL_LM", dict(g.DEC), dict(llama, orth_reg_weight=0.3), clipped),
        # PEFT's AdaLoRA has no use_rslora: its scale is alpha / r.
        "bert-rslora": (None, "bert", "SEQ_CLS", dict(g.ENC), dict(bert, orth_reg_weight=0.5, lora_alpha=4 * 6**0.5), plain),
        # At an orthonormal start, the regularizer's gradient is only rounding error. So the regularizer is left out.
        "bert-orthonormal": (None, "bert", "SEQ_CLS", dict(g.ENC), dict(bert, orth_reg_weight=0.0), plain),
        "bert-gamma-0": (None, "bert", "SEQ_CLS", dict(g.ENC), dict(bert, orth_reg_weight=0.0), plain),
    }
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for i, (name, (score, model_type, task, config, tuner, training)) in enumerate(cases.items()):
        with scored_by(score), started(name.endswith("orthonormal")):
            g.trajectory_case(pathlib.Path(out), name, model_type, task, config, tuner, training, seed=400 + i)
        changes = {"scale": "rslora", "lora_alpha": 4} if name.endswith("rslora") else {}
        record(pathlib.Path(out) / "trajectories" / name / "trace.json", g, score, changes)


def record(path, g, score, changes):
    """Adds settings without a PEFT key to the trace. The first two scores do not use PEFT's averages."""
    trace = json.loads(path.read_text())
    trace["tuner"].update(changes)
    if score: trace["tuner"]["score"] = score
    g.dump(path, trace)
    if score not in ("sensitivity", "magnitude"): return
    middle = path.parent / "middle.safetensors"
    kept = {n: t for n, t in load_file(middle).items() if n.split(".")[1] == "value"}
    save_file(kept, middle)


if __name__ == "__main__":
    main(*sys.argv[1:3])
