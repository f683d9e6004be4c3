"""Writes src/input/media/sounds/fixtures: a synthetic sound in each format, its samples by libsndfile and scipy's resample_poly,
and its log-mel spectrogram by WhisperFeatureExtractor's numpy path.

    python scripts/oracle/sounds.py
"""
import math, pathlib

import numpy as np
import scipy.signal
import soundfile
import torch
from safetensors.torch import save_file
from transformers import WhisperFeatureExtractor

OUT = pathlib.Path(__file__).parents[2] / "src/input/media/sounds/fixtures"
FRAMES = 24
# name: rate, channels, format, subtype
FILES = {
    "pcm8.wav": (8000, 1, "WAV", "PCM_U8"),
    "pcm16.wav": (22050, 2, "WAV", "PCM_16"),
    "pcm24.wav": (48000, 1, "WAVEX", "PCM_24"),
    "pcm32.wav": (16000, 1, "WAV", "PCM_32"),
    "float32.wav": (44100, 8, "WAVEX", "FLOAT"),
    "flac.flac": (44100, 2, "FLAC", "PCM_16"),
    "vorbis.ogg": (44100, 1, "OGG", "VORBIS"),
    "opus.opus": (48000, 1, "OGG", "OPUS"),
    "mp3.mp3": (44100, 2, "MP3", None),
}
OUT.mkdir(exist_ok=True)
random = np.random.default_rng(7)
expected = {}
for name, (rate, channels, form, subtype) in FILES.items():
    time = np.arange(int(rate * 0.15)) / rate
    tones = [np.sin(2 * np.pi * 300 * (c + 1) * time) for c in range(channels)]
    sound = 0.3 * np.stack(tones, 1) + 0.02 * random.standard_normal((len(time), channels))
    soundfile.write(OUT / name, sound, rate, format=form, subtype=subtype)
    read, rate = soundfile.read(OUT / name, dtype="float32", always_2d=True)
    divisor = math.gcd(rate, 16000)
    mono = read.mean(1).astype(np.float64)
    samples = scipy.signal.resample_poly(mono, 16000 // divisor, rate // divisor).astype(np.float32)
    expected[f"{name} samples"] = torch.from_numpy(samples)
    for bands in (80, 128):
        padded = np.zeros(480_000, np.float32)
        padded[: len(samples)] = samples
        mel = WhisperFeatureExtractor(feature_size=bands)._np_extract_fbank_features(padded[None], "cpu")[0]
        if name in ("pcm16.wav", "pcm32.wav"):
            expected[f"{name} mel {bands}"] = torch.from_numpy(mel[:, :FRAMES].astype(np.float32)).contiguous()
save_file(expected, OUT / "expected.safetensors")
