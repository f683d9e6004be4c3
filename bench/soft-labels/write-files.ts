import { mkdirSync, writeFileSync } from 'node:fs';
import { Random } from '../../src/support/random.ts';
import { FILES } from './read-files.ts';

/*
 * Writes four classification files for a seed: 100 labeled rows, 2,000 rows without labels, and 1,000 rows that judge.
 *
 *     npx tsx bench/soft-labels/write-files.ts FOLDER SEED
 */

const [folder = '', seed = '0'] = process.argv.slice(2);
for (const [name, read] of Object.entries(FILES)) {
  const rows = read();
  const order = new Random(Number(seed), name).permutation(rows.length);
  const table = (from: number, to: number) =>
    `text\tlabel\n${[...order.subarray(from, to)].map((i) => `${rows[i]!.text}\t${rows[i]!.label}\n`).join('')}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/${name}-labeled.tsv`, table(0, 100));
  writeFileSync(`${folder}/${name}-unlabelled.tsv`, table(100, 2100).replaceAll(/\t.*$/gm, ''));
  writeFileSync(`${folder}/${name}-test.tsv`, table(2100, 3100));
  const counts = new Map<string, number>();
  for (const i of order.subarray(2100, 3100))
    counts.set(rows[i]!.label, (counts.get(rows[i]!.label) ?? 0) + 1);
  console.log(name, rows.length, JSON.stringify([...counts]));
}
