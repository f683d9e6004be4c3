"""The counterpart of run.ts: the same rows, steps and adapter with sentence-transformers and PEFT.

    python3 bench/embeddings/beside.py OUT
"""
import json, os, pathlib, resource, sys, time
import torch
from peft import LoraConfig, inject_adapter_in_model
from sentence_transformers import SentenceTransformer, losses
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

torch.set_num_threads(int(os.environ.get("THREADS", "2")))
OUT = pathlib.Path(sys.argv[1])
MODEL = "../shared/models/all-MiniLM-L6-v2"
STEPS = int(os.environ.get("STEPS", "63"))
read = lambda name: [json.loads(line) for line in (OUT / name).read_text().splitlines()]
train, test = read("train.jsonl"), read("test.jsonl")

model = SentenceTransformer(MODEL, device="cpu")
model.max_seq_length = 128
answers = list(dict.fromkeys(row["answer"] for row in test))
number = {answer: i for i, answer in enumerate(answers)}
queries, relevant = {}, {}
for row in test:
    queries[row["question"]] = row["question"]
    relevant.setdefault(row["question"], set()).add(f"d{number[row['answer']]}")
evaluator = InformationRetrievalEvaluator(queries, {f"d{i}": answer for i, answer in enumerate(answers)}, relevant, name="x", write_csv=False)
show = lambda when: print(when, json.dumps({key: float(value) for key, value in evaluator(model).items() if key[9:] in ("ndcg@10", "mrr@10", "recall@1", "map@100")}))
show("before")
torch.manual_seed(0)
# Not `add_adapter`: transformers accepts fewer versions of PEFT there.
inject_adapter_in_model(LoraConfig(r=8, lora_alpha=16, lora_dropout=0.0, target_modules=["query", "key", "value", "dense"]), model[0].auto_model)
model.train()
loss = losses.MultipleNegativesRankingLoss(model)
named = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(named, lr=1e-3, weight_decay=0.0)
warmup = max(1, round(0.1 * STEPS))
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, step / warmup) if step < warmup else max(0, (STEPS - step) / (STEPS - warmup)))
order = torch.randperm(len(train)).tolist()
cpu = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
started, used = time.perf_counter(), cpu()
for step in range(STEPS):
    rows = [train[i] for i in order[(step * 32) % len(train):][:32]]
    features = [model.preprocess([row[key] for row in rows]) for key in ("question", "answer")]
    value = loss(features, torch.zeros(len(rows)))
    value.backward()
    torch.nn.utils.clip_grad_norm_(named, 1.0)
    optimizer.step()
    schedule.step()
    optimizer.zero_grad()
print(json.dumps({"side": "sentence-transformers + PEFT", "steps": STEPS, "seconds": time.perf_counter() - started,
                  "cpuSecondsPerStep": (cpu() - used) / STEPS, "peakMemoryMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
model.eval()
show("after")
