import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { jsonLines, newWorkspace, succeeds } from './support/commands.ts';
import { tinyRows } from './support/tiny-data.ts';
import { writeTinyModel } from './support/tiny-model.ts';
import { type Ended, eventsIn, eventsOf, UNSCORED } from './support/workspace.ts';

const workspace = newWorkspace();

/** Trains with settings into a new folder. Returns the log's events by type. */
async function trained(output: string, ...settings: string[]) {
  const ended = await workspace.train(`output=${output}`, ...settings);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  const events = workspace.events(output);
  return {
    ended,
    events,
    start: eventsOf(events, 'start')[0]!,
    steps: eventsOf(events, 'step'),
    evaluations: eventsOf(events, 'evaluation'),
    finish: eventsOf(events, 'finish')[0]!,
  };
}

const filesOf = (output: string) =>
  readdirSync(workspace.path(output), { recursive: true, encoding: 'utf8' }).sort();

const json = ({ code, stdout, stderr }: Ended) => {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return jsonLines(stdout);
};

describe.each([
  ['adalora', [], ['adapter_config.json', 'adapter_model.safetensors']],
  ['lora', [], ['adapter_config.json', 'adapter_model.safetensors']],
  [
    'full',
    ['training.learning_rate=3e-3'],
    ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'],
  ],
])('a run of %s', (method, settings, files) => {
  let run: Awaited<ReturnType<typeof trained>>;
  beforeAll(async () => {
    run = await trained(method, `method=${method}`, ...settings);
  });

  it('learns', () => {
    const { steps, evaluations } = run;
    expect(steps.at(-1)!.loss).toBeLessThan(0.75 * steps[0]!.loss);
    expect(evaluations.at(-1)!.eval_accuracy).toBeGreaterThan(0.85);
    expect(evaluations.map(({ step }) => step)).toEqual([10, 20, 30, 40, 50]);
    expect(run.finish).toMatchObject({ reason: 'done', step: 50 });
  });

  it('writes its files and no others', () => {
    const result = method === 'full' ? 'model' : 'adapter';
    expect(filesOf(method)).toEqual(
      [
        'README.md',
        'checkpoints',
        'checkpoints/checkpoint-40.safetensors',
        'checkpoints/checkpoint-50.safetensors',
        'config.yaml',
        'metrics.jsonl',
        result,
        ...['adalora.json', ...files].map((name) => `${result}/${name}`),
      ].sort(),
    );
  });

  it('gives the same logits in use as in its own evaluation', async () => {
    const [{ confusion_matrix: __, verdict: ___, ...scores }] = json(
      await workspace.run('eval', method, 'dev.tsv', '--json'),
    );
    const {
      type: _,
      step,
      epoch,
      best,
      kept,
      eval_runtime,
      eval_samples_per_second,
      ...own
    } = run.evaluations.at(-1)!;
    expect(Object.keys(scores)).toEqual(Object.keys(own));
    for (const [name, score] of Object.entries(own)) expect(scores[name]).toBeCloseTo(score, 5);

    const predictions = json(await workspace.run('predict', method, 'dev.tsv', '--logits'));
    const rows = tinyRows(48, 2);
    const losses = predictions.map(({ logits: [bad, good] }, i) =>
      Math.log(1 + Math.exp(rows[i]!.label === 'good' ? bad - good : good - bad)),
    );
    expect(losses.reduce((sum, loss) => sum + loss, 0) / losses.length).toBeCloseTo(own.eval_loss!, 5);
    const right = predictions.filter(({ label }, i) => label === rows[i]!.label);
    expect(right.length / rows.length).toBeCloseTo(own.eval_accuracy!, 10);
  });
});

describe('events', () => {
  it('have their fields, in the log and with --json', async () => {
    const ended = await workspace.run('train', 'run.yaml', '--json', '--set', 'output=events');
    const events = workspace.events('events');
    expect(eventsIn(ended.stdout)).toEqual(events);
    const keys = (type: string) => Object.keys(events.find((event) => event.type === type) ?? {});
    expect(keys('start')).toEqual(
      expect.arrayContaining([
        'total_steps',
        'train_examples',
        'truncated',
        'trainable_parameters',
        'startup_ms',
      ]),
    );
    expect(keys('step')).toEqual([
      ...[
        'type',
        'step',
        'epoch',
        'loss',
        'examples_per_second',
        'regularizer',
        'grad_norm',
        'learning_rate',
      ],
      ...['budget', 'peak_memory_mb', 'skipped_steps'],
    ]);
    expect(keys('evaluation')).toEqual(
      expect.arrayContaining(['eval_loss', 'eval_accuracy', 'eval_f1', 'eval_matthews_correlation', 'best']),
    );
    expect(keys('finish')).toEqual(
      expect.arrayContaining(['metrics', 'ranks', 'train_runtime', 'peak_memory_mb']),
    );
  });

  it('of allocations contain every rank, and their sum is the budget', async () => {
    const allocations = workspace.events('events').filter((event) => event.type === 'allocation');
    for (const { budget, ranks } of allocations) {
      expect(Object.keys(ranks)).toHaveLength(12);
      expect(Object.values(ranks).reduce((a, b) => a + b, 0)).toBe(budget);
    }
    const last = allocations.at(-1)!;
    expect(last).toMatchObject({ final: true, budget: 24 });
    expect(workspace.events('events').at(-1)).toMatchObject({ type: 'finish', ranks: last.ranks });
    expect(JSON.parse((await workspace.run('inspect', 'events', '--json')).stdout)).toMatchObject({
      total_rank: 24,
      ranks: last.ranks,
    });
  });

  it('agree with the plan, which writes nothing', async () => {
    const [plan] = json(await workspace.run('plan', 'run.yaml', '--json', '--set', 'output=planned'));
    const [start] = eventsOf(workspace.events('events'), 'start');
    expect(plan).toMatchObject({
      steps: start!.total_steps,
      trainableParameters: start!.trainable_parameters,
      adapterParameters: start!.adapter_parameters,
      budget: { initial: 48, target: 24 },
    });
    expect(readdirSync(workspace.folder)).not.toContain('planned');
  });
});

describe('tasks', () => {
  it.each([
    ['pairs', ['data.text_pair=pair'], ['accuracy', 'f1', 'matthews_correlation']],
    ['regression', ['task=regression', 'data.label=score'], ['pearson', 'spearmanr', 'mse']],
    [
      'labels',
      ['task=multi_label_classification', 'data.label=tags', 'training.num_train_epochs=8'],
      ['f1', 'accuracy'],
    ],
  ])('%s', async (output, settings, metrics) => {
    const { evaluations } = await trained(output, 'method=lora', ...settings);
    const last = evaluations.at(-1)!;
    expect(Object.keys(last)).toEqual(expect.arrayContaining(metrics.map((name) => `eval_${name}`)));
    expect(last[`eval_${metrics[0]}`]).toBeGreaterThan(0.6);
    const [scores] = json(await workspace.run('eval', output, 'dev.tsv', '--json'));
    expect(scores.eval_loss).toBeCloseTo(last.eval_loss!, 5);
    const [first] = json(await workspace.run('predict', output, 'dev.tsv'));
    const kind = { pairs: 'string', regression: 'number', labels: 'object' }[output];
    expect(typeof first.label).toBe(kind);
  });
});

describe('training settings', () => {
  it('accumulate the gradient of two halves of a batch to that of the whole', async () => {
    writeTinyModel(workspace.path('no-dropout'), { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 });
    const settings = [
      'model=no-dropout',
      UNSCORED,
      'training.group_by_length=false',
      'training.logging_steps=1',
      'training.max_steps=15',
    ];
    const batch = (size: number, count: number) => [
      `training.per_device_train_batch_size=${size}`,
      `training.gradient_accumulation_steps=${count}`,
    ];
    const whole = await trained('whole', ...settings, ...batch(32, 1));
    const halves = await trained('halves', ...settings, ...batch(16, 2));
    expect(halves.steps).toHaveLength(15);
    for (const [i, { loss, grad_norm }] of halves.steps.entries()) {
      expect(loss / whole.steps[i]!.loss).toBeCloseTo(1, 3);
      if (i === 0) expect(grad_norm / whole.steps[i]!.grad_norm).toBeCloseTo(1, 5);
    }
  });

  it('evaluate by steps, and stop early without improvement', async () => {
    const { evaluations, finish, ended } = await trained(
      'early',
      'method=lora',
      ...['eval_strategy=steps', 'eval_steps=7', 'early_stopping_patience=2', 'learning_rate=1e-12'].map(
        (setting) => `training.${setting}`,
      ),
    );
    expect(evaluations.map(({ step }) => step)).toEqual([7, 14, 21]);
    expect(finish).toMatchObject({ reason: 'early', step: 21 });
    expect(ended.stdout).toContain('stopped early: no better evaluation');
    expect(filesOf('early')).toContain('adapter/adapter_config.json');
  });

  it('end with the best model', async () => {
    // Inverted, so that the best is the first instead of the last.
    const { evaluations, finish } = await trained(
      'best',
      'method=lora',
      ...['load_best_model_at_end=true', 'metric_for_best_model=loss', 'greater_is_better=true'].map(
        (setting) => `training.${setting}`,
      ),
    );
    const best = evaluations.filter((event) => event.best).at(-1)!;
    expect(best.step).toBeLessThan(50);
    expect(finish.metrics.eval_loss).toBe(Math.max(...evaluations.map(({ eval_loss }) => eval_loss!)));
    const [scores] = json(await workspace.run('eval', 'best', 'dev.tsv', '--json'));
    expect(scores.eval_loss).toBeCloseTo(best.eval_loss!, 5);
  });
});

it('a run computes on WebAssembly as on the CPU', async () => {
  const settings = ['training.max_steps=6', 'training.logging_steps=1'];
  const cpu = await trained('on-cpu', ...settings);
  const wasm = await trained('on-wasm', ...settings, 'device=wasm');
  expect(wasm.start.device).toBe('wasm');
  wasm.steps.forEach(({ loss }, i) => expect(loss).toBeCloseTo(cpu.steps[i]!.loss, 4));
  expect(wasm.finish.ranks).toEqual(cpu.finish.ranks);
  expect(wasm.finish.metrics.eval_loss).toBeCloseTo(cpu.finish.metrics.eval_loss!, 4);
});

it('a run takes the model as a flag', async () => {
  workspace.write('few.csv', 'text,label\ngood,a\nfine,a\nbad,b\npoor,b\n');
  const flags = ['--model', workspace.path('model'), '--set', 'method=lora'];
  flags.push('--set', 'training.max_steps=1', '--set', 'output=flag');
  await succeeds(workspace.run('train', 'few.csv', ...flags));
  expect(workspace.read('flag', 'config.yaml').toString()).toContain(`model: ${workspace.path('model')}\n`);
});
