import { copyFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readAdapter } from './support/adapter-folder.ts';
import { newWorkspace, succeeds } from './support/commands.ts';
import { resumesAfterKill, SHORT } from './support/resumes-after-kill.ts';
import { UNSCORED } from './support/workspace.ts';

/* The methods of `examples/methods`, each named by its file: they use nothing but the package's entries. */

/** Settings with which a method measures, or ranks change, before and after the kill. */
const METHODS: Record<string, string> = {
  eva: 'eva={r: 2, lora_dropout: 0.1, tau: 0.5}',
  gora: 'gora={r: 2, lora_dropout: 0.1, gradient_batches: 2}',
  'sensitivity-lora': 'sensitivity_lora={r: 2, lora_dropout: 0.1, calibration_batches: 2}',
  flexlora: 'flexlora={r: 3, b: 2, schedule: constant, lora_alpha: 16, tinit: 2, tfinal: 2, deltaT: 3}',
  increlora:
    'increlora={init_r: 1, target_r: 3, top_h: 12, incre_rank_num: 1, lora_alpha: 16, scale: rslora, tinit: 2, tfinal: 2}',
  'increlora, as released':
    'increlora={init_r: 1, target_r: 3, top_h: 9, incre_rank_num: 2, lora_alpha: 16, tinit: 2, tfinal: 2, last_round: whole, score_batches: last}',
};
const fileOf = (name: string) => `examples/methods/${name.split(',')[0]}.mjs`;

const workspace = newWorkspace();

describe.each(Object.keys(METHODS))('%s', (name) => {
  const settings = [`method=${fileOf(name)}`, METHODS[name]!, ...SHORT, UNSCORED];

  it('resumes byte for byte after a kill', async () => {
    const allocations = await resumesAfterKill(workspace, name, settings);
    expect(allocations.length).toBeGreaterThan(0);
    expect(allocations.at(-1)!.final).toBe(true);
  });

  it.runIf(['flexlora', 'increlora'].includes(name))('continues from its adapter, at its ranks', async () => {
    const [from, on] = [`whole-${name}`, `on-${name}`];
    const again = [`method=${fileOf(name)}`, `adapter=${from}`, 'training.learning_rate=1e-30', UNSCORED];
    await succeeds(workspace.train(...again, 'training.max_steps=1', `output=${on}`));
    const [before, after] = await Promise.all(
      [from, on].map((run) => readAdapter(workspace.path(run, 'adapter'))),
    );
    expect(after).toEqual(before);
  });
});

it('are rows of a comparison', async () => {
  copyFileSync(fileOf('eva'), workspace.path('eva.mjs'));
  copyFileSync(fileOf('measured-lora'), workspace.path('measured-lora.mjs'));
  workspace.write(
    'compare.yaml',
    `model: model
data: {train: train.tsv, validation: dev.tsv, text: sentence, label: label, max_length: 32}
training: {max_steps: 2, eval_strategy: epoch, floor: false}
rows:
  LoRA: {method: lora, lora.r: 2}
  GoRA: {method: ${fileOf('gora')}, gora: {r: 2, gradient_batches: 1}}
seeds: 1
output: compared
`,
  );
  const { code, stderr, stdout } = await workspace.run('compare', 'compare.yaml');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('| GoRA');
});

it('have a report, and predictions, without their file', async () => {
  const { ended } = workspace.start(['report', 'whole-eva', '-o', 'report.html']);
  expect(await ended).toMatchObject({ code: 0, stderr: '' });
  expect(`${workspace.read('report.html')}`).toContain('eva');
  const predicted = workspace.start(['predict', 'whole-eva', 'dev.tsv', '--text', 'sentence']);
  expect(await predicted.ended).toMatchObject({ code: 0, stderr: '' });
});

it.each([
  ['missing.mjs', '', /--set: `method` names missing\.mjs, which does not exist/],
  ['none.mjs', 'export {};', /names none\.mjs, which defines no method/],
  ['fails.mjs', "throw new TypeError('no');", /fails\.mjs failed with TypeError: no/],
  [
    'typed.ts',
    'export {};',
    'typescript' in process.features && process.features.typescript
      ? /defines no method/
      : /is TypeScript, which Node/,
  ],
])('name the problem of %s', async (file, text, problem) => {
  if (text !== '') workspace.write(file, text);
  const { code, stderr } = await workspace.train(`method=${file}`, 'output=x');
  expect(code).toBe(2);
  expect(stderr).toMatch(problem);
});

it('say what to do when a config names a method without its file', async () => {
  const { ended } = workspace.start(['train', 'whole-gora/config.yaml', '--resume']);
  const { code, stderr } = await ended;
  expect(code).toBe(2);
  expect(stderr).toContain('got "gora"');
  expect(stderr).toContain('.mjs');
});
