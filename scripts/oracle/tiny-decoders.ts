import { writeFileSync } from 'node:fs';
import { tinyRows } from '../../tests/support/tiny-data.ts';
import { writeTinyTextModel } from '../../tests/support/tiny-text-model.ts';

/*
 * tsx tiny-decoders.ts FOLDER
 *
 * Writes the tests' small decoders, and prompts with completions, for check.sh.
 */

const [folder] = process.argv.slice(2);
for (const family of ['llama', 'gpt2'] as const)
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
