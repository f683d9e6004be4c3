"""TRL's tokens, losses and gradients of DPO on a small model of the tests: src/tasks/preference/fixtures/dpo.json.

    npx tsx scripts/oracle/small-generators.ts --whole FOLDER && python scripts/oracle/preference.py FOLDER/llama > \
        src/tasks/preference/fixtures/dpo.json && npx biome format --write src/tasks/preference/fixtures

The reference has all weights times 0.5, and the policy times 0.55, in double precision. With a second argument, the fixture, the
script compares and writes nothing.
"""
import copy, json, pathlib, sys, tempfile
import torch, trl
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer

SCALES, BETAS = [0.5, 0.55], [0.01, 0.05, 0.1, 0.2, 0.3]
user = lambda text: {"role": "user", "content": text}
bot = lambda text: {"role": "assistant", "content": text}
ROWS = {
    "explicit": [
        {"prompt": "Say: ", "chosen": "the cat", "rejected": "a dog sat"},
        {"prompt": "the ", "chosen": "cat ate it", "rejected": "cat"},
        {"prompt": "ca", "chosen": "t", "rejected": "r is red"},
    ],
    "implicit": [
        {"chosen": "Is the sky red? No.", "rejected": "Is the sky red? Yes, the sky."},
        {"chosen": "the cat sat", "rejected": "the cat"},
        {"chosen": "one two", "rejected": "one three four"},
    ],
    "conversations": [
        {"chosen": [user("Hi"), bot("the cat")], "rejected": [user("Hi"), bot("Go")]},
        {"chosen": [user("a"), bot("b"), user("c"), bot("the")], "rejected": [user("a"), bot("b"), user("c"), bot("a cat")]},
        {"chosen": [user("Ok?"), bot("")], "rejected": [user("Ok?"), bot("no no")]},
    ],
}


def measured(folder, rows):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager")
    policy = copy.deepcopy(model)
    with torch.no_grad():
        for scale, one in zip(SCALES, (model, policy)):
            for weight in one.parameters():
                weight.mul_(scale)
    losses, gradients = [], {}
    for beta in BETAS:
        args = DPOConfig(output_dir=tempfile.mkdtemp(), beta=beta, use_cpu=True, bf16=False, report_to=[], gradient_checkpointing=False,
                         per_device_train_batch_size=len(rows), max_length=64, precompute_ref_log_probs=False)
        trainer = DPOTrainer(copy.deepcopy(model), ref_model=copy.deepcopy(model), args=args, train_dataset=Dataset.from_list(rows),
                             processing_class=tokenizer)
        sequences = [[row["prompt_ids"] + row[f"{answer}_ids"] for answer in ("chosen", "rejected")] for row in trainer.train_dataset]
        learnt = [len(row["prompt_ids"]) for row in trainer.train_dataset]
        batch = trainer.data_collator(list(trainer.train_dataset))
        first = trainer.compute_loss(trainer.model, batch).item()
        with torch.no_grad():
            for weight, moved in zip(trainer.model.parameters(), policy.parameters()):
                weight.copy_(moved)
        loss = trainer.compute_loss(trainer.model, batch)
        losses.append(loss.item())
        if beta == 0.1:
            loss.backward()
            for name, weight in trainer.model.named_parameters():
                g = weight.grad.flatten()
                gradients[name] = [g.norm().item(), *g[len(g) // 2 : len(g) // 2 + 3].tolist()]
    return {"rows": rows, "ids": sequences, "learnt_from": learnt, "first": first, "losses": losses, "gradients": gradients}


folder, *fixture = sys.argv[1:]
found = {"trl": trl.__version__, "scales": SCALES, "betas": BETAS, "cases": {name: measured(folder, rows) for name, rows in ROWS.items()}}
if fixture:
    known = json.loads(pathlib.Path(fixture[0]).read_text())["cases"]
    for name, case in found["cases"].items():
        assert case["ids"] == known[name]["ids"], name
        for a, b in zip(case["losses"], known[name]["losses"]):
            assert abs(a - b) < 1e-6, (name, a, b)
    print("equal")
else:
    json.dump(found, sys.stdout)
