"""Trains a small BART from random weights with adalora and PyTorch on the same batches; compares losses and outputs.

    python train_seq2seq.py prepare FOLDER e2e/devset.csv     # tokenizer, model, data, run.yaml
    (cd FOLDER && adalora train run.yaml && adalora predict run dev.jsonl > ours.jsonl)
    npx tsx scripts/oracle/seq2seq-batches.ts FOLDER/run.yaml FOLDER/batches.json      # in FOLDER, because its paths are relative
    python train_seq2seq.py compare FOLDER

The rows of E2E have several references each: each is a training example, and evaluation counts the best.
"""
import csv, json, pathlib, sys
import sacrebleu, torch
from rouge_score.rouge_scorer import RougeScorer
from tokenizers import ByteLevelBPETokenizer
from tokenizers.processors import TemplateProcessing
from transformers import (
    BartConfig, BartForConditionalGeneration, DataCollatorForSeq2Seq, PreTrainedTokenizerFast, get_linear_schedule_with_warmup,
)
from transformers.trainer_pt_utils import LabelSmoother

TYPES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
WRITING = {"num_beams": 4, "no_repeat_ngram_size": 3, "max_length": 64}
RUN = """\
model: model
task: seq2seq_lm
method: full
data:
  {train: train.jsonl, validation: dev.jsonl, max_source_length: 96, max_target_length: 64, generation_config: {num_beams: 4, no_repeat_ngram_size: 3}}
training:
  {learning_rate: 1e-3, num_train_epochs: 3, per_device_train_batch_size: 32, per_device_eval_batch_size: 32, warmup_steps: 30, label_smoothing_factor: 0.1, logging_steps: 1, weight_decay: 0}
output: run
"""


def prepare(folder, table):
    grouped = {}
    for row in csv.DictReader(open(table, encoding="utf-8")):
        grouped.setdefault(row["mr"], []).append(row["ref"])
    rows = [{"source": source, "target": targets} for source, targets in grouped.items()]
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in [("train", rows[:400]), ("dev", rows[400:480])]:
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    random_bart(folder / "model", [text for row in rows[:400] for text in [row["source"], *row["target"]]], 1200, 128)
    (folder / "run.yaml").write_text(RUN)


def random_bart(folder, texts, words, longest):
    """A BART of two layers each side, 128 wide, with random weights and a tokenizer of these texts."""
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(texts, vocab_size=words, special_tokens=["<s>", "<pad>", "</s>"], show_progress=False)
    tokenizer._tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>"}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer._tokenizer, **names, model_max_length=longest)
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "decoder_attention_heads": 4}
    widths = {"d_model": 128, "encoder_ffn_dim": 256, "decoder_ffn_dim": 256, "max_position_embeddings": longest}
    config = BartConfig(vocab_size=words, **sizes, **widths, dropout=0.0)
    BartForConditionalGeneration(config).save_pretrained(folder)


def examples(folder, tokenizer, most=96):
    for line in (folder / "train.jsonl").read_text().splitlines():
        row = json.loads(line)
        for target in row["target"]:
            inputs = tokenizer(row["source"], max_length=most, truncation=True)
            labels = tokenizer(text_target=target, max_length=64, truncation=True)["input_ids"]
            yield {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"], "labels": labels}


def train(folder, tokenizer):
    model = BartForConditionalGeneration.from_pretrained(folder / "model").train()
    collate = DataCollatorForSeq2Seq(tokenizer, model=model)
    rows = list(examples(folder, tokenizer))
    batches = json.loads((folder / "batches.json").read_text())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)
    schedule = get_linear_schedule_with_warmup(optimizer, 30, len(batches))
    smoother, losses = LabelSmoother(epsilon=0.1), []
    for chosen in batches:
        batch = collate([dict(rows[i]) for i in chosen])
        labels = batch.pop("labels")
        loss = smoother(model(**batch), labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step(), schedule.step(), optimizer.zero_grad()
        losses.append(loss.item())
    return model.eval(), losses


def written(model, tokenizer, rows, most=96):
    texts = []
    for row in rows:
        inputs = tokenizer(row["source"], max_length=most, truncation=True, return_tensors="pt")
        inputs.pop("token_type_ids", None)
        ids = model.generate(**inputs, **WRITING)
        texts.append(tokenizer.decode(ids[0], skip_special_tokens=True))
    return texts


def scores(texts, rows):
    scorer = RougeScorer(TYPES, use_stemmer=True)
    each = [scorer.score_multi(row["target"], text) for row, text in zip(rows, texts)]
    most = max(len(row["target"]) for row in rows)
    streams = [[dict(enumerate(row["target"])).get(k) for row in rows] for k in range(most)]
    rouge = {f"eval_{t}": sum(score[t].fmeasure for score in each) / len(each) for t in TYPES}
    return {**rouge, "eval_bleu": sacrebleu.corpus_bleu(texts, streams).score}


def compare(folder):
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder / "model")
    rows = [json.loads(line) for line in (folder / "dev.jsonl").read_text().splitlines()]
    events = [json.loads(line) for line in (folder / "run/metrics.jsonl").read_text().splitlines()]
    ours = [event["loss"] for event in events if event["type"] == "step"]
    found = [event for event in events if event["type"] == "evaluation"][-1]
    model, theirs = train(folder, tokenizer)
    relative = [abs(a - b) / b for a, b in zip(ours, theirs)]
    assert len(ours) == len(theirs)
    for end in [1, 10, 30, 100, 200, len(ours)]:
        print(f"loss of the first {end} steps: largest relative difference {max(relative[:end]):.1e}; here {ours[end - 1]:.6f}, there {theirs[end - 1]:.6f}")
    texts = [json.loads(line)["text"] for line in (folder / "ours.jsonl").read_text().splitlines()]
    same = BartForConditionalGeneration.from_pretrained(folder / "run/model").eval()
    equal = sum(a == b for a, b in zip(texts, written(same, tokenizer, rows)))
    print(f"texts of the model trained here: {equal} of {len(rows)} are what transformers writes with it")
    here, there = scores(texts, rows), scores(written(model, tokenizer, rows), rows)
    for name, value in here.items():
        print(f"{name}: here {found[name]:.6f} (by the Python package {value:.6f}), trained there {there[name]:.6f}")


if __name__ == "__main__":
    command, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    prepare(folder, sys.argv[3]) if command == "prepare" else compare(folder)
