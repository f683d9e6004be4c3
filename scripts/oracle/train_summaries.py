"""AdaLoRA on summaries of papers (SciTLDR) here and with PEFT: the same small BART, batches and settings, two seeds.

    python train_summaries.py prepare FOLDER DATA             # DATA has xsum, cnn_dailymail and scitldr
    cd FOLDER && adalora train base.yaml                      # the encoder-decoder itself, on 2,000 news articles
    adalora train adapt-0.yaml && adalora train adapt-1.yaml
    for s in 0 1; do adalora predict runs/adapt-$s dev.jsonl > ours-$s.jsonl; npx tsx seq2seq-batches.ts adapt-$s.yaml batches-$s.json; done
    python train_summaries.py compare FOLDER

Scores are those of rouge_score for the texts of both sides, against all references of a paper. Prints a line of JSON for each seed.
"""
import csv, json, pathlib, sys, time
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import BartForConditionalGeneration, DataCollatorForSeq2Seq, PreTrainedTokenizerFast, get_linear_schedule_with_warmup
from train_seq2seq import examples, random_bart, scores, written

SOURCE, TARGET, BATCH, EPOCHS, RATE, WARMUP, SEEDS = 256, 64, 16, 3, 3e-3, 20, (0, 1)
MATRICES = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]
DATA = f"max_source_length: {SOURCE}, max_target_length: {TARGET}, generation_config: {{num_beams: 4, no_repeat_ngram_size: 3}}"
BASE = f"""\
model: model
task: seq2seq_lm
method: full
data: {{train: news.jsonl, {DATA}}}
training: {{learning_rate: 1e-3, num_train_epochs: 8, per_device_train_batch_size: 16, warmup_steps: 50, weight_decay: 0, eval_strategy: "no"}}
output: runs/base
"""
ADAPT = f"""\
model: runs/base/model
task: seq2seq_lm
method: adalora
seed: SEED
data: {{train: train.jsonl, {DATA}}}
adalora: {{init_r: 12, target_r: 8, lora_alpha: 32, tinit: 40, tfinal: 150, deltaT: 5, orth_reg_weight: 0.1, target_modules: [{", ".join(MATRICES)}]}}
training: {{learning_rate: {RATE}, num_train_epochs: {EPOCHS}, per_device_train_batch_size: {BATCH}, warmup_steps: {WARMUP}, weight_decay: 0, logging_steps: 1, eval_strategy: "no"}}
output: runs/adapt-SEED
"""


def prepare(folder, data):
    csv.field_size_limit(2**30)
    rows = lambda path: [json.loads(line) for line in (data / path).read_text(encoding="utf-8").splitlines()]
    articles = list(csv.DictReader((data / "cnn_dailymail/validation_first1000.csv").open(encoding="utf-8")))
    news = [(r["document"], r["summary"]) for r in rows("xsum/test_1000.jsonl")] + [(r["article"], r["highlights"]) for r in articles]
    files = {"news": [(source, [target]) for source, target in news]}
    for name in ("train", "dev"): files[name] = [(" ".join(r["source"]), r["target"]) for r in rows(f"scitldr/{name}.jsonl")]
    folder.mkdir(parents=True, exist_ok=True)
    for name, pairs in files.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps({"source": source, "target": targets}) + "\n" for source, targets in pairs))
    texts = [text for name in ("news", "train") for source, targets in files[name] for text in (source, *targets)]
    random_bart(folder / "model", texts, 6000, SOURCE)
    (folder / "base.yaml").write_text(BASE)
    for seed in SEEDS: (folder / f"adapt-{seed}.yaml").write_text(ADAPT.replace("SEED", str(seed)))


def train(folder, tokenizer, seed):
    batches = json.loads((folder / f"batches-{seed}.json").read_text())
    torch.manual_seed(seed)
    base = BartForConditionalGeneration.from_pretrained(folder / "runs/base/model")
    config = AdaLoraConfig(task_type="SEQ_2_SEQ_LM", init_r=12, target_r=8, lora_alpha=32, tinit=40, tfinal=150, deltaT=5, orth_reg_weight=0.1,
                           target_modules=MATRICES, total_step=len(batches))
    model = get_peft_model(base, config).train()
    collate, rows = DataCollatorForSeq2Seq(tokenizer, model=base), list(examples(folder, tokenizer, SOURCE))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=RATE, weight_decay=0.0)
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, len(batches))
    losses, start = [], time.time()
    for step, chosen in enumerate(batches):
        out = model(**collate([dict(rows[i]) for i in chosen]))
        out.loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step(), schedule.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
        losses.append(out.loss.item())
    return model.eval(), losses, time.time() - start


def compare(folder):
    torch.set_num_threads(1)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder / "model")
    rows = [json.loads(line) for line in (folder / "dev.jsonl").read_text().splitlines()]
    base = BartForConditionalGeneration.from_pretrained(folder / "runs/base/model").eval()
    last = lambda losses: sum(losses[-50:]) / 50
    print(json.dumps({"without adapter": scores(written(base, tokenizer, rows, SOURCE), rows)}))
    for seed in SEEDS:
        model, theirs, seconds = train(folder, tokenizer, seed)
        ours = [json.loads(line)["text"] for line in (folder / f"ours-{seed}.jsonl").read_text().splitlines()]
        events = [json.loads(line) for line in (folder / f"runs/adapt-{seed}/metrics.jsonl").read_text().splitlines()]
        losses = [event["loss"] for event in events if event["type"] == "step"]
        assert len(losses) == len(theirs)
        print(json.dumps({"seed": seed, "here": {"loss": last(losses), **scores(ours, rows)},
                          "PEFT": {"loss": last(theirs), "seconds": seconds, **scores(written(model, tokenizer, rows, SOURCE), rows)}}), flush=True)


if __name__ == "__main__":
    command, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    prepare(folder, pathlib.Path(sys.argv[3])) if command == "prepare" else compare(folder)
