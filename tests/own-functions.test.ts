import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LossFunction, plan, train } from '../src/index.ts';
import { runTypeScript } from './support/run-typescript.ts';
import { succeeds } from './support/succeeds.ts';
import { trainHere } from './support/train-here.ts';
import { eventsOf, Workspace } from './support/workspace.ts';

let workspace: Workspace;
beforeAll(() => {
  workspace = new Workspace();
});
afterAll(() => workspace.remove());

const steps = { max_steps: 12, logging_steps: 1, save_steps: 6 };
const config = (output: string, adalora: object = {}) => ({
  model: workspace.path('model'),
  defaults: 'huggingface' as const,
  data: { train: workspace.path('train.tsv'), text: 'sentence', label: 'label', max_length: 32 },
  training: { ...steps, learning_rate: 2e-2 },
  adalora: { target_r: 2, init_r: 4, tinit: 2, tfinal: 3, deltaT: 1, ...adalora },
  output: workspace.path(output),
});
let named: Readonly<Record<string, number>>;
const adapter = (run: string) =>
  readFileSync(workspace.path(run, 'adapter', 'adapter_model.safetensors')).toString('base64');

const factor = 24;
class Scores {
  readonly #power = 1;
  score({ sensitivity, uncertainty }: { sensitivity: number; uncertainty: number }) {
    return (sensitivity * uncertainty) ** this.#power;
  }
  schedule(step: number) {
    return factor * (1 - (step - 2) / 7) ** 3 + factor;
  }
  loss(...[logits, labels, { crossEntropy }]: Parameters<LossFunction>) {
    return crossEntropy(logits, labels);
  }
}
const scores = new Scores();
const FORMS = {
  closures: {
    score: (importance: Parameters<Scores['score']>[0]) => scores.score(importance),
    schedule: (step: number) => scores.schedule(step),
    loss: ((...given) => scores.loss(...given)) as LossFunction,
  },
  methods: {
    score({ sensitivity, uncertainty }: Parameters<Scores['score']>[0]) {
      return sensitivity * uncertainty;
    },
    schedule(step: number) {
      return factor * (1 - (step - 2) / 7) ** 3 + factor;
    },
    loss(...[logits, labels, { crossEntropy }]: Parameters<LossFunction>) {
      return crossEntropy(logits, labels);
    },
  },
  'bound functions': {
    score: scores.score.bind(scores),
    schedule: scores.schedule.bind(scores),
    loss: scores.loss.bind(scores) as LossFunction,
  },
};

describe('functions of the program in a config', () => {
  it('train like the named score and schedule that they compute', async () => {
    const restore = trainHere();
    named = (await train(config('named'))).ranks;
    restore();
    const computed = config('computed', {
      score: ({ sensitivity, uncertainty }: { sensitivity: number; uncertainty: number }) =>
        sensitivity * uncertainty,
      // Twelve modules, from rank 4 to 2, between steps 2 and 9.
      schedule: (step: number) => (48 - 24) * (1 - (step - 2) / 7) ** 3 + 24,
    });
    expect((await plan(computed)).steps).toBe(12);
    const { loss } = FORMS.closures;
    const { ranks } = await train({
      ...computed,
      training: { ...computed.training, compute_loss_func: loss },
    });
    expect(ranks).toEqual(named);
    expect(adapter('computed')).toBe(adapter('named'));
    expect(`${workspace.read('computed', 'README.md')}`).toContain('AdaLoRA (own score, own schedule');
  });

  it('may keep state, and an error in them is an error of train', async () => {
    let calls = 0;
    const failing = config('failing', {
      score: () => {
        if (++calls > 3) throw new RangeError('enough');
        return 1;
      },
    });
    await expect(train(failing)).rejects.toThrow('adalora.score threw "enough".');
    expect(calls).toBe(4);
  });
});

/* Those above were sent to another thread. */
describe('functions of the program in a config', () => {
  beforeAll(() => trainHere());

  it.each(Object.entries(FORMS))('may be of any form: %s', async (form, { score, schedule, loss }) => {
    const own = config(form, { score, schedule });
    await train({ ...own, training: { ...own.training, compute_loss_func: loss } });
    expect(adapter(form)).toBe(adapter('named'));
  });

  it('train from a program on the command line', async () => {
    const { data, output: _, ...rest } = config('');
    workspace.write(
      'adalora.config.mjs',
      `const config = ${JSON.stringify({ ...rest, output: 'program' })};
      const data = ${JSON.stringify(data)};
      const score = ({ sensitivity, uncertainty }) => sensitivity * uncertainty;
      const schedule = (step) => (48 - 24) * (1 - (step - 2) / 7) ** 3 + 24;
      export default { ...config, data, adalora: { ...config.adalora, score, schedule } };`,
    );
    const planned = await workspace.run('plan', 'adalora.config.mjs');
    expect(planned).toMatchObject({ code: 0, stdout: expect.stringMatching(/^steps +12,/m) });
    await succeeds(workspace.run('train', 'adalora.config.mjs'));
    expect(adapter('program')).toBe(adapter('named'));
  });

  it('train differently with another score', async () => {
    const { ranks } = await train(
      config('value', { score: ({ value }: { value: number }) => Math.abs(value) }),
    );
    expect(Object.values(ranks).reduce((sum, rank) => sum + rank)).toBe(24);
    expect(ranks).not.toEqual(named);
  });

  it('resume only with the same source', async () => {
    const score = ({ sensitivity }: { sensitivity: number }) => sensitivity;
    const begun = (own: unknown) => config('resumed', { score: own });
    const controller = new AbortController();
    const stopped = await train(begun(score), {
      signal: controller.signal,
      onEvent: ({ type, step }) => type === 'step' && step === 5 && controller.abort(),
    });
    expect(stopped.reason).toBe('stopped');
    const other = ({ uncertainty }: { uncertainty: number }) => uncertainty;
    await expect(train(begun(other), { resume: true })).rejects.toThrow(
      /adalora\.score is "function:\w+" \(was "function:\w+"\)/,
    );
    const { code, stderr } = await workspace.run('train', 'resumed/config.yaml', '--resume');
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Resume the run with train() in the program that began it.'),
    });
    await train(begun(score), { resume: true });
    await train({ ...begun(score), output: workspace.path('whole') });
    expect(adapter('resumed')).toBe(adapter('whole'));
  });

  it('replace the loss', async () => {
    const withLoss = (output: string, compute_loss_func?: LossFunction) => {
      const { adalora: _, ...rest } = config(output);
      return { ...rest, lora: { r: 2 }, training: { ...steps, learning_rate: 2e-2, compute_loss_func } };
    };
    await train(withLoss('loss-default'));
    await train(withLoss('loss-same', (logits, labels, { crossEntropy }) => crossEntropy(logits, labels)));
    expect(adapter('loss-same')).toBe(adapter('loss-default'));
    // A hinge on two classes: 1 - (2 label - 1) (logit of 1 - logit of 0).
    const hinge: LossFunction = (logits, labels, ops) => {
      const ones = ops.reshape(ops.slice(logits, 1, 1, 2), labels.shape);
      const margin = ops.subtract(ones, ops.reshape(ops.slice(logits, 1, 0, 1), labels.shape));
      const signed = ops.where(
        ops.greater(labels, ops.constant(labels.node.graph, [0], [], 'int32')),
        margin,
        ops.negate(margin),
      );
      return ops.average(ops.relu(ops.subtract(1, signed)));
    };
    await train(withLoss('loss-hinge', hinge));
    expect(adapter('loss-hinge')).not.toBe(adapter('loss-default'));
    expect(workspace.events('loss-hinge')).toContainEqual(
      expect.objectContaining({ type: 'step', step: 1, loss: expect.closeTo(1, 0.9) }),
    );
    await expect(train(withLoss('loss-rows', (logits) => logits))).rejects.toThrow(
      /compute_loss_func` must return one number, float32 of shape \[\], got float32 of shape \[.*2\]/,
    );
    const smoothed = withLoss('loss-smoothed', hinge);
    await expect(
      train({ ...smoothed, training: { ...smoothed.training, label_smoothing_factor: 0.1 } }),
    ).rejects.toThrow('does not apply to compute_loss_func');
  });

  it('replace the loss of embeddings, for a whole batch and in parts', async () => {
    const pairs = Array.from({ length: 12 }, (_, i) => ({
      question: `the ${i % 2 ? 'cat' : 'dog'} ${i}`,
      answer: `a ${i}`,
    }));
    const lossesOf = async (output: string, data: object, compute_loss_func?: LossFunction) => {
      await train({
        model: workspace.path('model'),
        task: 'sentence_embedding',
        method: 'lora',
        defaults: 'huggingface',
        data: { train: pairs, anchor: 'question', positive: 'answer', ...data },
        training: { max_steps: 3, logging_steps: 1, per_device_train_batch_size: 6, compute_loss_func },
        output: workspace.path(output),
      });
      return eventsOf(workspace.events(output), 'step').map(({ loss }) => loss);
    };
    const twice: LossFunction = (vectors, labels, ops) => {
      const { crossEntropy, matmul, multiply, toUnitLength, reshape, slice } = ops;
      const [, examples, width] = vectors.shape;
      const column = (i: number) => toUnitLength(reshape(slice(vectors, 0, i, i + 1), [examples!, width!]));
      const scores = matmul(column(0), column(1), { transposeB: true, scale: 20 });
      return multiply(crossEntropy(scores, labels), 2);
    };
    const plain = await lossesOf('embedding-default', {});
    expect(plain).toHaveLength(3);
    for (const data of [{}, { mini_batch_size: 2 }]) {
      const replaced = await lossesOf(`embedding-twice-${Object.keys(data)}`, data, twice);
      // The first step is the same but for the factor, and sums of 32-bit numbers are in another order.
      expect(replaced[0]! / plain[0]!).toBeCloseTo(2, 5);
    }
  });

  it('train as the example shows', () => {
    const example = readFileSync('examples/own-functions.ts', 'utf8')
      .replace("'sentence-transformers/all-MiniLM-L6-v2'", "'./model'")
      .replace('training: {', 'training: {\n    max_steps: 12,');
    expect(example).toContain('max_steps');
    const output = runTypeScript(workspace.folder, 'own-functions', example);
    expect(output).toContain('eval_accuracy');
    expect(`${workspace.read('runs/own-functions/README.md')}`).toContain('own score, own schedule');
  });

  it('are rejected with the reason', async () => {
    await expect(train(config('promise', { score: async () => 1 }))).rejects.toThrow(
      'adalora.score must return a number, got a promise. It must not be asynchronous.',
    );
    await expect(train(config('class', { score: class {} }))).rejects.toThrow(
      /adalora\.score threw "Class constructor .* cannot be invoked without 'new'"/,
    );
    await expect(train({ ...config('metrics'), metrics: { cost: 3 } as never })).rejects.toThrow(
      '`metrics.cost` must be a function, got 3',
    );
    await expect(train(config('text', { score: () => 'much' }))).rejects.toThrow(
      'must return a number, got "much"',
    );
    await expect(train(config('near', { score: 'magnitud' }))).rejects.toThrow('Did you mean magnitude?');
  });
});
