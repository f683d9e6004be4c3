"""DPO of a decoder by TRL and PEFT's LoRA on the pairs of write-pairs.ts, in single precision on the processor:

    python bench/preference/trl_dpo.py MODEL FOLDER [--rate 1e-4] [--epochs 2] [--batch 4]

Prints the share of held-out pairs whose chosen answer is more likely, before and after, with TRL's own scores, the time and the memory.
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
                 use_cpu=True, report_to=[], precompute_ref_log_probs=True, save_strategy="no", logging_steps=10, seed=42)
lora = LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
trainer = DPOTrainer(model, args=args, train_dataset=read("train.jsonl"), eval_dataset=read("validation.jsonl"), processing_class=tokenizer,
                     peft_config=lora)


def accuracy():
    """The share of held-out pairs whose chosen answer is more likely."""
    trainer.model.eval()
    right = 0
    with torch.no_grad():
        for row in trainer.eval_dataset:
            found = []
            for answer in ("chosen_ids", "rejected_ids"):
                ids = torch.tensor([row["prompt_ids"] + row[answer]])
                each = trainer.model(input_ids=ids).logits[0, :-1].log_softmax(-1).gather(1, ids[0, 1:, None])
                found.append(each[len(row["prompt_ids"]) - 1 :].sum().item())
            right += found[0] > found[1]
    return right / len(trainer.eval_dataset)


before = accuracy()
start = time.time()
trainer.train()
seconds = time.time() - start
own = {key: round(value, 4) for key, value in trainer.evaluate().items() if key.startswith(("eval_rewards", "eval_loss"))}
print(json.dumps({"before": before, "after": accuracy(), "seconds": round(seconds),
                  "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, **own}))
