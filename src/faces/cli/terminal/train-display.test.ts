import { describe, expect, it } from 'vitest';
import { clockTime } from '../../../studies/report/format.ts';
import { evaluationEvent, type TrainEvent } from '../../../training/run/events.ts';
import { jsonDisplay, trainDisplay } from './train-display.ts';

const step = (step: number): TrainEvent => ({
  type: 'step',
  step,
  epoch: step / 268,
  loss: 0.6,
  grad_norm: 1,
  learning_rate: 2e-3,
  budget: 400,
  examples_per_second: 131.6,
  peak_memory_mb: 678,
  skipped_steps: 0,
});

const RUN: TrainEvent[] = [
  {
    type: 'start',
    step: 0,
    total_steps: 1072,
    num_train_epochs: 4,
    train_examples: 8551,
    eval_examples: 1043,
    truncated: 3,
    trainable_parameters: 207098,
    adapter_parameters: 206328,
    ranks: {},
    to_beat: [
      { name: 'a bag of words', value: 0.69, is_blind: false },
      { name: 'always "1"', value: 0.68, is_blind: true },
    ],
    metric_for_best_model: 'accuracy',
    method: 'adalora',
    device: 'cpu',
    startup_ms: 900,
  },
  {
    type: 'notice',
    step: 0,
    message: 'The base model has no classifier, so a new one is trained (expected).',
  },
  step(10),
  evaluationEvent(
    268,
    1,
    {
      eval_loss: 0.61,
      eval_runtime: 2,
      eval_samples_per_second: 500,
      eval_accuracy: 0.7,
    },
    true,
  ),
  { type: 'allocation', step: 270, budget: 390, threshold: 0.1, final: false, ranks: {}, scores: [] },
  step(536),
  { type: 'checkpoint', step: 536, path: 'runs/a/checkpoints/checkpoint-536.safetensors' },
  {
    type: 'finish',
    step: 1072,
    reason: 'done',
    train_runtime: 263.4,
    train_samples_per_second: 130,
    peak_memory_mb: 690,
    metrics: { eval_loss: 0.6, eval_accuracy: 0.71 },
    verdict: {
      score: 'accuracy',
      value: 0.71,
      interval: [0.682, 0.737],
      rows: 1043,
      learnt: true,
      findings: [],
      to_beat: [
        { name: 'a bag of words', value: 0.69, is_blind: false },
        { name: 'always "1"', value: 0.68, is_blind: true },
      ],
    },
    ranks: { 'bert.encoder.layer.0.output.dense': 3, 'bert.encoder.layer.1.output.dense': 9 },
  },
];

function shown(screen: { isTTY?: boolean; columns?: number }, events: TrainEvent[], isQuiet = false): string {
  let text = '';
  let time = 0;
  const write = (part: string) => (text += part);
  const display = trainDisplay({ ...screen, write }, 'accuracy', { now: () => time, isQuiet });
  for (const event of events) {
    time += 60;
    display.show(event);
  }
  display.close();
  return text;
}

describe('trainDisplay', () => {
  it('prints plain lines if the screen is not a terminal', () => {
    expect(`\n${shown({}, RUN)}`).toMatchInlineSnapshot(`
      "
      adalora on cpu: 8,551 examples, 1,072 steps (4 epochs), 207,098 trained parameters
      note: 3 texts (under 1 %) were truncated to the maximum length
      to beat, accuracy: a bag of words 0.690, always "1" 0.680
      note: The base model has no classifier, so a new one is trained (expected).
      step 10/1072  loss 0.6000  budget 400  132 examples/s  0:13 left
      evaluation at step 268, epoch 1: loss 0.6100, accuracy 0.7000  (best so far)
      step 536/1072  loss 0.6000  eval accuracy 0.7000  budget 400  132 examples/s  0:00 left
      done at step 1072 after 4:23, 130 examples/s, peak memory 690 MB
      loss 0.6000, accuracy 0.7100
      layer  output.dense  mean
      0                 3   3.0
      1                 9   9.0
      mean            6.0   6.0
      accuracy 0.710 (0.68 to 0.74) on 1,043 rows; a bag of words 0.690, always "1" 0.680
      "
    `);
  });

  it('shows a small run as a table at its end, and a quiet run as its result', () => {
    const evaluated = (at: number, accuracy: number) =>
      evaluationEvent(at, at / 10, { eval_loss: 0.5, eval_runtime: 2, eval_accuracy: accuracy }, at === 20);
    const small = [
      { ...RUN[0]!, total_steps: 20 } as TrainEvent,
      ...[step(10), evaluated(10, 0.7), step(20), evaluated(20, 0.8)],
      { ...RUN.at(-1)!, ranks: {} } as TrainEvent,
    ];
    const lines = shown({}, small).split('\n');
    const table = lines.findIndex((line) => line.startsWith('epoch'));
    expect(lines.slice(table, table + 3)).toEqual([
      'epoch  step  training loss  loss    accuracy',
      '1      10    0.6000         0.5000  0.7000',
      '2      20    0.6000         0.5000  0.8000    best',
    ]);
    expect(lines.filter((line) => /^(step|evaluation)/.test(line))).toEqual([]);
    expect(shown({}, small, true)).toMatch(/^done at step/);
  });

  it('warns if a run has learned nothing, and calls no evaluation best', () => {
    const score = (value: number) => evaluationEvent(268, 1, { eval_accuracy: value }, true);
    const finish = RUN.at(-1) as Extract<TrainEvent, { type: 'finish' }>;
    const verdict = {
      ...finish.verdict!,
      value: 0.68,
      learnt: false,
      findings: [{ message: 'The training loss grew.', remedy: 'Lower training.learning_rate.' }],
    };
    const text = shown({}, [RUN[0]!, score(0.68), score(0.681), { ...finish, ranks: {}, verdict }]);
    expect(text.split('\n').filter((line) => line.startsWith('evaluation'))).toEqual([
      'evaluation at step 268, epoch 1: accuracy 0.6800',
      'evaluation at step 268, epoch 1: accuracy 0.6810  (best so far)',
    ]);
    expect(text).toMatch(
      /\nThe model has not learned anything useful\. The training loss grew\. Lower training\.learning_rate\.\n$/,
    );
  });

  it('redraws one line on a terminal, truncated to its width', () => {
    const text = shown({ isTTY: true, columns: 60 }, [RUN[0]!, step(10), step(500), step(600)]);
    const drawn = text.split('\r\x1b[2K');
    expect(drawn[0]!.trimEnd().split('\n').at(-1)).toContain('to beat');
    expect(drawn).toHaveLength(4);
    expect(drawn[1]).toContain('step 10/1072  loss 0.6000');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colors are control sequences
    for (const line of drawn.slice(1)) expect(line.replace(/\x1b\[\d+m/g, '').length).toBeLessThan(60);
    expect(drawn[3]).toBe('');
  });
});

it('control characters in the path of a checkpoint are escaped', () => {
  const path = 'a\u001b[2J/checkpoint-1.safetensors';
  expect(shown({ isTTY: true }, [{ type: 'checkpoint', step: 1, path }])).toContain(
    'checkpoint a\\u{1b}[2J/checkpoint-1.safetensors',
  );
});

it('jsonDisplay writes a line for each event', () => {
  let text = '';
  const display = jsonDisplay({ write: (part) => (text += part) });
  for (const event of RUN) display.show(event);
  expect(
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(RUN);
});

it.each([
  [0.4, '0:00'],
  [62, '1:02'],
  [3723, '1:02:03'],
])('%s seconds are %s', (seconds, text) => expect(clockTime(seconds)).toBe(text));
