"""Compares transcripts with transformers: prints those of a model, or of an adapter by PEFT.

    python scripts/oracle/transcripts.py MODEL [--adapter FOLDER] CLIP.wav... > expected.jsonl
    adalora predict MODEL_OR_RUN CLIP.wav --logits

Clips have one channel and 16 kHz, or are resampled by SciPy. The spectrogram is WhisperFeatureExtractor's.
"""
import argparse, json, math

import soundfile, torch
from scipy.signal import resample_poly
from transformers import AutoTokenizer, WhisperFeatureExtractor, WhisperForConditionalGeneration

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--adapter")
parser.add_argument("clips", nargs="+")
args = parser.parse_args()
torch.set_num_threads(1)
model = WhisperForConditionalGeneration.from_pretrained(args.model, dtype=torch.float32).eval()
if args.adapter:
    from peft import PeftModel

    model = PeftModel.from_pretrained(model, args.adapter).eval()
settings = model.generation_config
prefix = [settings.decoder_start_token_id, settings.no_timestamps_token_id]
tokenizer = AutoTokenizer.from_pretrained(args.model)
extract = WhisperFeatureExtractor.from_pretrained(args.model)
# transformers takes whole seconds only. A tiny model of less reads the first frames.
extract.n_samples = math.ceil(extract.chunk_length) * 16000
frames = 2 * model.config.max_source_positions
for clip in args.clips:
    samples, rate = soundfile.read(clip, dtype="float32", always_2d=True)
    samples = samples.mean(axis=1)
    if rate != 16000:
        by = math.gcd(rate, 16000)
        samples = resample_poly(samples, 16000 // by, rate // by)
    features = extract(samples, sampling_rate=16000, return_tensors="pt").input_features[..., :frames]
    with torch.no_grad():
        ids = [*prefix]
        # A plain greedy search: Whisper's own generate adds rules for times that a fixed prefix does not need.
        while len(ids) < settings.max_length:
            logits = model(input_features=features, decoder_input_ids=torch.tensor([ids])).logits[0, -1]
            banned = [*(settings.suppress_tokens or [])]
            if len(ids) == len(prefix):
                banned += settings.begin_suppress_tokens or []
            logits[banned] = -torch.inf
            ids.append(int(logits.argmax()))
            if ids[-1] == settings.eos_token_id:
                break
        own = model.generate(input_features=features)[0].tolist()
    ids = ids[len(prefix):]
    print(json.dumps(dict(text=clip, transcript=tokenizer.decode(ids, skip_special_tokens=True).strip(), ids=ids, own=own)))
