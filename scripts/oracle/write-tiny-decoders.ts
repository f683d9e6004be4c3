import { writeFileSync } from 'node:fs';
import { tinyRows } from '../../tests/support/tiny-data.ts';
import { writeTinyTextModel } from '../../tests/support/tiny-text-model.ts';

export const TINY_DECODERS = ['llama', 'gpt2'] as const;

/** Writes the tests' small decoders into a folder, and prompts with completions: `train.jsonl` and `dev.jsonl`. */
export function writeTinyDecoders(folder: string): void {
  for (const family of TINY_DECODERS)
    writeTinyTextModel(`${folder}/${family}`, family, { initializer_range: 0.1 });
  for (const [name, count, seed] of [
    ['train', 96, 1],
    ['dev', 24, 2],
  ] as const) {
    const rows = tinyRows(count, seed).map(({ text, label }) =>
      JSON.stringify({ prompt: `${text} That is`, completion: ` ${label}.` }),
    );
    writeFileSync(`${folder}/${name}.jsonl`, `${rows.join('\n')}\n`);
  }
}
