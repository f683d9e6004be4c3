import { beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../src/studies/jobs/plan/plan.ts';
import type { EventOf } from '../src/training/run/events.ts';
import { newWorkspace, set, succeeds } from './support/commands.ts';
import { UNSCORED } from './support/workspace.ts';

const workspace = newWorkspace();

const SCHEDULE = 'lora_alpha: 16, tinit: 15, tfinal: 20, deltaT: 3';
const TRAINING = '{learning_rate: 2e-2, max_steps: 60, logging_steps: 1, save_steps: 4}';

/** Enough for a budget and for ranks; nothing is learned in so few steps. */
const SHORT = '{learning_rate: 2e-2, max_steps: 12, logging_steps: 1}';
const SHORT_SCHEDULE = 'lora_alpha: 16, tinit: 3, tfinal: 4, deltaT: 1';

/** A method's name on its card, and its settings. */
const METHODS: [name: string, title: string, settings: string[]][] = [
  [
    'adalora',
    'AdaLoRA (s = Ī / Ū, orthonormal start, alpha / √r)',
    [
      `adalora={target: 25 triplets, init_r: 4, score: signal-to-noise, init: orthonormal, scale: rslora, ${SCHEDULE}}`,
      ...['base_dtype=int8', 'training.gradient_checkpointing=true'],
    ],
  ],
];

describe.each(METHODS)('%s, with the name %s', (method, title, settings) => {
  const output = title.replaceAll(/\W+/g, '-');
  const args = (folder: string) => [
    ...['train', 'run.yaml', '--json', '--resume'],
    ...[`method=${method}`, `training=${TRAINING}`, UNSCORED, ...settings, `output=${folder}`].flatMap(
      (setting) => ['--set', setting],
    ),
  ];

  beforeAll(async () => {
    await succeeds(workspace.run(...args(output)));
  });

  it('learns, and has its name on its card and in its report', async () => {
    const losses = workspace.events(output).flatMap((event) => (event.type === 'step' ? [event.loss] : []));
    const last = losses.slice(-10);
    expect(last.reduce((a, b) => a + b) / last.length).toBeLessThan(0.6 * losses[0]!);
    const card = workspace.read(output, 'README.md').toString();
    expect(card).toContain(`# model, ${title}\n`);
    expect(card).toContain(`trained by ${title} for 60 steps`);
    await succeeds(workspace.run('report', output, '-o', 'report.html'));
    // At the start of a sentence, it has a capital letter.
    const report = workspace.read('report.html').toString();
    expect(report.slice(0, report.indexOf('</h1>')).toLowerCase()).toContain(`${title.toLowerCase()} on `);
  });

  it('predicts the same as plain LoRA and merged', async () => {
    const logits = await succeeds(workspace.run('predict', output, 'dev.tsv', '--logits'));
    const first = (text: string) => JSON.parse(text.split('\n')[0]!).logits as number[];
    await succeeds(workspace.run('export', output, '--as', 'lora', '-o', `${output}-plain`));
    await succeeds(workspace.run('export', output, '--as', 'merged', '-o', `${output}-merged`));
    for (const other of ['plain', 'merged']) {
      const same = await succeeds(workspace.run('predict', `${output}-${other}`, 'dev.tsv', '--logits'));
      // The same float32 sums in another order.
      first(same).forEach((logit, i) => expect(logit).toBeCloseTo(first(logits)[i]!, 4));
    }
  });
});

describe('a budget', () => {
  const budgeted = (method: string, budget: string) => [
    ...[`method=${method}`, `training=${SHORT}`, UNSCORED],
    `${method}={${budget}, ${SHORT_SCHEDULE}}`,
  ];
  const planOf = async (settings: string[]): Promise<Plan> =>
    JSON.parse(await succeeds(workspace.run('plan', 'run.yaml', '--json', ...set(settings))));
  const final = (run: string) =>
    workspace
      .events(run)
      .find((event): event is EventOf<'allocation'> => event.type === 'allocation' && event.final)!;

  /** Numbers of a component of the largest matrix: 32 in and 64 out. */
  const LARGEST = 32 + 64;

  it.each(['adalora', 'prune_lora'])(
    'of %s is inspected as it was kept, to the component',
    async (method) => {
      const run = `inspected-${method}`;
      const settings = budgeted(method, 'target: 1500 parameters, start: 40 triplets');
      const { budget } = await planOf(settings);
      expect(budget).toMatchObject({ unit: 'parameters', forms: { target: { parameters: 1500 } } });
      expect(budget!.rounded).toEqual(['start 40 triplets, rounded up to rank 4 in every matrix']);
      await succeeds(workspace.train(...settings, `output=${run}`));
      // Inspect counts the adapter of the run: nothing of the head or the pooler.
      const inspected = JSON.parse(await succeeds(workspace.run('inspect', run, '--json')));
      const { ranks, adapter_parameters } = workspace
        .events(run)
        .find((event): event is EventOf<'finish'> => event.type === 'finish')!;
      // Files of LoRA's kind leave out matrices without components.
      expect(inspected.ranks).toMatchObject(
        Object.fromEntries(Object.entries(ranks).filter(([, rank]) => rank > 0)),
      );
      const lambdas = method === 'adalora' ? inspected.total_rank : 0;
      expect(inspected.adapter_parameters).toBe((adapter_parameters ?? 0) + lambdas);
      expect(adapter_parameters).toBeLessThanOrEqual(1500);
      expect(adapter_parameters).toBeGreaterThan(1500 - LARGEST);
    },
  );

  it('of a fraction of a rank is a whole number of triplets', async () => {
    await succeeds(workspace.train(...budgeted('adalora', 'target_r: 0.6'), 'output=fraction'));
    // 0.6 in 12 matrices are 7.2.
    expect(final('fraction').budget).toBe(7);
    const config = JSON.parse(workspace.read('fraction', 'adapter', 'adapter_config.json').toString());
    expect(config).toMatchObject({ target_r: 1, init_r: 1 });
  });
});
