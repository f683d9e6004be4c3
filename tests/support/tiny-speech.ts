import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeTone } from './write-tone.ts';

/** The tones of clips in hertz, and their transcripts. */
export const TRANSCRIPTS = { 300: 'low', 900: 'mid', 2500: 'a hum', 5000: 'no' };

/** A tokenizer of bytes: some letters and the space. */
const LETTERS = [...'abcdefhilmnouvwxy', 'Ġ', 'z'];
/** As in whisper-large-v3, the end is another token than the padding. */
const SPECIAL = ['<|endoftext|>', '<|padding|>', '<|startoftranscript|>', '<|notimestamps|>'];

/** Writes a tiny Whisper with random weights, which hears 0.12 seconds. */
export function writeSpeechModel(folder: string): void {
  cpSync('src/models/fixtures/models/whisper-transcripts', folder, { recursive: true });
  const write = (name: string, content: object) => writeFileSync(join(folder, name), JSON.stringify(content));
  write('preprocessor_config.json', {
    ...{ feature_extractor_type: 'WhisperFeatureExtractor', feature_size: 5, chunk_length: 0.12 },
    ...{ hop_length: 160, n_fft: 400, n_samples: 1920, nb_max_frames: 12, sampling_rate: 16_000 },
  });
  write('generation_config.json', {
    eos_token_id: 19,
    pad_token_id: 20,
    decoder_start_token_id: 21,
    no_timestamps_token_id: 22,
    max_length: 9,
  });
  // As transformers 5 names it.
  write('tokenizer_config.json', { tokenizer_class: 'TokenizersBackend', eos_token: SPECIAL[0] });
  write('tokenizer.json', {
    added_tokens: SPECIAL.map((content, i) => ({ id: 19 + i, content, special: true })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: Object.fromEntries(LETTERS.map((letter, i) => [letter, i])), merges: [] },
  });
}

/** Writes a folder of tones with their transcripts in metadata.csv. */
export function writeClips(folder: string): void {
  mkdirSync(folder);
  const rows = Object.entries(TRANSCRIPTS).map(([hertz, text]) => {
    writeFileSync(join(folder, `${hertz}.wav`), writeTone(Number(hertz), 0.1));
    return `${hertz}.wav,${text}\n`;
  });
  writeFileSync(join(folder, 'metadata.csv'), `file_name,text\n${rows.join('')}`);
}
