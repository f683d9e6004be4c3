"""DPO of a decoder by TRL and PEFT's LoRA on the pairs of write-pairs.ts, in single precision on the processor:

    python bench/preference/trl_dpo.py MODEL FOLDER [--rate 1e-4] [--epochs 2] [--batch 4]

Prints the share of held-out pairs whose chosen answer is more likely, before and after, with the rewards, the time and the memory.
"""
import argparse, json, pathlib, resource, tempfile, time
import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--rate", type=float, default=1e-4)
parser.add_argument("--epochs", type=float, default=2)
parser.add_argument("--batch", type=int, default=4)
given = parser.parse_args()
torch.manual_seed(42)
read = lambda name: Dataset.from_list([json.loads(line) for line in (given.folder / name).read_text().splitlines()])
tokenizer = AutoTokenizer.from_pretrained(given.model)
model = AutoModelForCausalLM.from_pretrained(given.model, dtype=torch.float32)
args = DPOConfig(output_dir=tempfile.mkdtemp(), learning_rate=given.rate, num_train_epochs=given.epochs, warmup_steps=6, max_length=128,
                 per_device_train_batch_size=given.batch, per_device_eval_batch_size=given.batch, gradient_checkpointing=False, bf16=False,
                 use_cpu=True, report_to=[], precompute_ref_log_probs=False, save_strategy="no", logging_steps=10, seed=42)
lora = LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
trainer = DPOTrainer(model, args=args, train_dataset=read("train.jsonl"), eval_dataset=read("validation.jsonl"), processing_class=tokenizer,
                     peft_config=lora)


def preferences():
    """How much more likely the chosen answer of each held-out pair is, as a logarithm."""
    trainer.model.eval()
    rows, found = list(trainer.eval_dataset), []
    for start in range(0, len(rows), 10):
        batch = trainer.data_collator(rows[start : start + 10])
        ids, mask = batch["input_ids"], batch["completion_mask"][:, 1:]
        with torch.no_grad():
            logits = trainer.model(input_ids=ids, attention_mask=batch["attention_mask"]).logits[:, :-1]
        each = logits.log_softmax(-1).gather(2, ids[:, 1:, None])[..., 0]
        chosen, rejected = (each * mask).sum(1).chunk(2)
        found.append(chosen - rejected)
    return torch.cat(found)


share = lambda margins: round((margins > 0).double().mean().item(), 3)
before = preferences()
print("before", share(before), flush=True)
start = time.time()
trainer.train()
seconds = time.time() - start
after = preferences()
print(json.dumps({"before": share(before), "after": share(after), "reward_accuracy": share(after - before),
                  "reward_margin": round(0.1 * (after - before).mean().item(), 3), "seconds": round(seconds),
                  "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
