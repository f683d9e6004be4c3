import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { UserError } from '../../support/user-error.ts';
import { runConfigAt } from './run-config-at.ts';

const folder = newFolder();

const written = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const PROGRAM = pathToFileURL(resolve('dist/index.js')).href;

it('takes the config that a program exports, with settings, rows in memory, and scores and functions of its own', async () => {
  const path = written(
    'adalora.config.mjs',
    `import { defineConfig } from '${PROGRAM}';
    const rows = [{ text: 'a', label: 'b' }];
    export default defineConfig({
      data: { train: rows, validation: rows, text: 'text', label: 'label' }, output: 'a',
      metrics: { own: () => 1 },
      training: { metric_for_best_model: 'own', greater_is_better: true, compute_loss_func: (logits) => logits },
    });`,
  );
  const settings = ['output=b', 'data.validation=dev.tsv', 'adalora.schedule=cubic'];
  const { config, texts, functions, metrics } = await runConfigAt(path, settings);
  expect(config).toMatchObject({
    output: 'b',
    training: { metric_for_best_model: 'own', compute_loss_func: [...functions.keys()][0] },
    data: { train: 'data.train', validation: 'dev.tsv' },
    adalora: { schedule: 'cubic' },
  });
  expect(texts['data.train']).toBe('{"text":"a","label":"b"}\n');
  expect(metrics).toEqual({ own: expect.any(Function) });
});

it.each([
  ['fails', 'throw new RangeError("mine")', 'failed with RangeError: mine'],
  ['exports nothing', 'export const config = {};', 'must have a config as its default export, got'],
  [
    'fails later',
    'export default { output: "a", get data() { throw new RangeError("mine") } };',
    'failed with RangeError: mine',
  ],
  [
    'contains itself',
    'const own = { output: "a", data: {} }; own.model_config = own; export default own;',
    '`model_config` is nested too deeply, or contains itself',
  ],
  [
    'has other numbers',
    'export default { output: "a", data: {}, seed: 1n };',
    '`seed` must be a number, got 1.',
  ],
  ['has a mistake', 'export default { output: "a", data: {}, tusk: 1 };', '`tusk` is not a known key'],
])('says what is wrong with a program that %s', async (name, text, message) => {
  const found = runConfigAt(written(`${name.replace(' ', '-')}.mjs`, text), []);
  await expect(found).rejects.toThrow(UserError);
  await expect(found).rejects.toThrow(message);
});

it('takes TypeScript where this Node runs it, and says so where it does not', async () => {
  const text =
    "const output: string = 'typed';\nexport default { data: { train: 'a.tsv', text: 0, label: 1 }, output };\n";
  const found = runConfigAt(written('adalora.config.ts', text), []);
  const answer = await found.then(
    ({ config }) => config.output,
    ({ message }) => message,
  );
  expect(answer).toMatch(/^typed$|is TypeScript, which Node [\d.]+ cannot run\. Use Node 22\.18/);
});
