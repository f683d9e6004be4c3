import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tinyRows } from './tiny-data.ts';
import { writeTinyModel } from './tiny-model.ts';

// Writes small versions of the files in README's commands. Usage: tsx make-glue.ts FOLDER
const folder = process.argv[2]!;
const cola = join(folder, 'data', 'glue', 'CoLA');
mkdirSync(cola, { recursive: true });
writeTinyModel(join(folder, 'sentence-transformers', 'all-MiniLM-L6-v2'));
for (const [name, count] of [
  ['train', 320],
  ['dev', 64],
] as const) {
  const lines = tinyRows(count, count).map(
    ({ text, label }) => `x\t${label === 'good' ? 1 : 0}\t\t${text}\n`,
  );
  writeFileSync(join(cola, `${name}.tsv`), lines.join(''));
}
