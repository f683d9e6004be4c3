import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { open } from '../../src/use/trained/node/open.ts';
import { type MadeAdapter, writeMadeAdapter } from '../../tests/support/made-adapter.ts';
import type { KnownRequest, Scores } from './load.ts';

const SIX = ['query', 'key', 'value', 'attention.output.dense', 'intermediate.dense', 'output.dense'];

const TARGETS = SIX.map((path) => `(.*\\.)?layer\\.\\d+\\.(.*\\.)?${path.replaceAll('.', '\\.')}`).join('|');

/** Writes LoRA adapters with random values. Default: classifiers with rank 8 on the six matrices of an encoder's layers. */
export function makeAdapters(
  folder: string,
  base: string,
  count: number,
  adapter: Omit<MadeAdapter, 'seed'> = { rank: 8, targets: TARGETS },
): string[] {
  return Array.from({ length: count }, (_, seed) => {
    const name = `adapter-${seed}`;
    mkdirSync(join(folder, name), { recursive: true });
    writeMadeAdapter(join(folder, name), base, { deviation: 0.02, ...adapter, seed });
    return name;
  });
}

/** Makes requests: each has a text, and the answer of its adapter with a float32 base. */
export async function makeRequests(
  folder: string,
  base: string,
  names: readonly string[],
  given: readonly string[],
): Promise<KnownRequest[]> {
  const texts = given.map((text) => ({ text }));
  const byModel: KnownRequest[][] = [];
  for (const model of names) {
    const trained = await open(join(folder, model), { model: base, batchSize: 1 });
    const expected: Scores[] = [];
    for await (const { probabilities } of trained.predict(texts)) expected.push(probabilities);
    await trained.close();
    byModel.push(texts.map(({ text }, i) => ({ model, text, expected: expected[i]! })));
  }
  // Takes the first text of every model, then the second of every model, and so on.
  return texts.flatMap((_, i) => byModel.map((requests) => requests[i]!));
}
