"""Steps of AdaLoRA on Whisper with PEFT, beside `adalora train` with the same batches of 8 clips.

    python3 bench/speech/peft_steps.py MODEL all|decoder|held float32|bfloat16 [STEPS]

`held` adapts the decoder and computes the states of the encoder once, as this program does by default. Features are computed before the
first step. Prints the median of clips per second without the first two steps, and the peak of memory.
"""
import csv, json, os, pathlib, resource, statistics, sys, time

import soundfile, torch
from peft import AdaLoraConfig, get_peft_model
from scipy.signal import resample_poly
from transformers import AutoTokenizer, WhisperFeatureExtractor, WhisperForConditionalGeneration

torch.set_num_threads(int(os.environ.get("THREADS", "2")))
MODEL, ADAPTED, DTYPE, STEPS = sys.argv[1], sys.argv[2], sys.argv[3], int((sys.argv + ["12"])[4])
FOLDER = pathlib.Path("../shared/data/speech/en/train")
rows = list(csv.DictReader(open(FOLDER / "metadata.csv")))
extract = WhisperFeatureExtractor.from_pretrained(MODEL)
tokenizer = AutoTokenizer.from_pretrained(MODEL)
dtype = getattr(torch, DTYPE)
model = WhisperForConditionalGeneration.from_pretrained(MODEL, dtype=dtype)
linear = "(k_proj|q_proj|v_proj|out_proj|fc1|fc2)"
part = ".*" if ADAPTED == "all" else r".*decoder\."
config = AdaLoraConfig(init_r=12, target_r=8, lora_alpha=32, tinit=1, tfinal=3, deltaT=1, total_step=STEPS, target_modules=f"{part}.*{linear}")
model = get_peft_model(model, config)
model.train()
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1e-3)


def read(row):
    samples, rate = soundfile.read(FOLDER / row["file_name"], dtype="float32")
    samples = resample_poly(samples, 16000 // rate, 1)
    return extract(samples, sampling_rate=16000, return_tensors="pt").input_features[0].to(dtype)


used = rows[: 8 * min(STEPS, len(rows) // 8)]
features = [read(row) for row in used]
if ADAPTED == "held":
    with torch.no_grad():
        features = [model.base_model.model.model.encoder(one[None]).last_hidden_state[0] for one in features]
times = []
for step in range(STEPS):
    at = (8 * step) % len(used)
    texts = tokenizer([row["text"] for row in used[at : at + 8]], padding=True, return_tensors="pt")
    labels = texts.input_ids[:, 1:].masked_fill(texts.attention_mask[:, 1:] == 0, -100)
    batch = torch.stack(features[at : at + 8])
    started = time.perf_counter()
    given = {"encoder_outputs": (batch,)} if ADAPTED == "held" else {"input_features": batch}
    loss = model(**given, labels=labels).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    model.base_model.update_and_allocate(step)
    optimizer.zero_grad()
    times.append(time.perf_counter() - started)
rate = 8 / statistics.median(times[2:])
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"side": "peft", "adapted": ADAPTED, "dtype": DTYPE, "clips_per_second": round(rate, 2), "peak_memory_mb": round(memory), "loss": round(loss.item(), 3)}))
