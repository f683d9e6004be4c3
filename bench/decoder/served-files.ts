import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeAdapters } from '../serving/make-requests.ts';
import type { DecoderCase } from './decoder-cases.ts';

/** The folder of the adapters beside a decoder's checkpoint. */
export function adaptersIn(folder: string): string {
  return join(folder, 'adapters');
}

/** Writes what the server needs beside a checkpoint: a tokenizer, and a LoRA adapter for each of several texts. */
export function writeServedFiles(folder: string, { shape, texts, r, targets }: DecoderCase): void {
  writeTokenizer(folder, Number(shape.vocab_size));
  // Another case may have left adapters of another shape.
  rmSync(adaptersIn(folder), { recursive: true, force: true });
  makeAdapters(adaptersIn(folder), folder, texts, {
    task: 'causal_lm',
    labels: [],
    data: { text: 'text' },
    rank: r,
    targets: [...targets],
  });
}

/** Writes a tokenizer with one word per id. None of them ends a text. */
function writeTokenizer(folder: string, vocabSize: number): void {
  const vocab = Object.fromEntries(Array.from({ length: vocabSize }, (_, id) => [`w${id}`, id]));
  const tokenizer = {
    version: '1.0',
    pre_tokenizer: { type: 'Whitespace' },
    model: { type: 'WordPiece', vocab, unk_token: 'w0', continuing_subword_prefix: '##' },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: false },
  };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(folder, 'tokenizer_config.json'), '{}');
}
