import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type LossFunction, plan, train } from '../src/index.ts';
import { newWorkspace, refuses, succeeds } from './support/commands.ts';
import { runTypeScript } from './support/run-typescript.ts';
import { trainHere } from './support/train-here.ts';
import { eventsOf } from './support/workspace.ts';

const workspace = newWorkspace();

const steps = { max_steps: 12, logging_steps: 1, save_steps: 6 };
const config = (output: string, adalora: object = {}) => ({
  model: workspace.path('model'),
  defaults: 'huggingface' as const,
  data: { train: workspace.path('train.tsv'), text: 'sentence', label: 'label', max_length: 32 },
  training: { ...steps, learning_rate: 2e-2 },
  adalora: { target_r: 2, init_r: 4, tinit: 2, tfinal: 3, deltaT: 1, ...adalora },
  output: workspace.path(output),
});
const adapter = (run: string) =>
  readFileSync(workspace.path(run, 'adapter', 'adapter_model.safetensors')).toString('base64');

class Losses {
  readonly #factor = 1;
  loss(...[logits, labels, { crossEntropy, multiply }]: Parameters<LossFunction>) {
    return multiply(crossEntropy(logits, labels), this.#factor);
  }
}
const losses = new Losses();
const FORMS: Record<string, LossFunction> = {
  closure: (...given) => losses.loss(...given),
  method: {
    loss(...[logits, labels, { crossEntropy }]: Parameters<LossFunction>) {
      return crossEntropy(logits, labels);
    },
  }.loss,
  'bound function': losses.loss.bind(losses),
};
const withLoss = (output: string, compute_loss_func?: LossFunction) => {
  const { adalora: _, ...rest } = config(output);
  return { ...rest, lora: { r: 2 }, training: { ...steps, learning_rate: 2e-2, compute_loss_func } };
};

describe('a loss of the program', () => {
  it('trains from another thread like the named loss that it computes', async () => {
    expect((await plan(withLoss('planned', FORMS.closure))).steps).toBe(12);
    await train(withLoss('sent', FORMS.closure));
    const restore = trainHere();
    await train(withLoss('loss-default'));
    restore();
    expect(adapter('sent')).toBe(adapter('loss-default'));
  });

  it('may fail, which is an error of train', async () => {
    const failing = withLoss('failing', () => {
      throw new RangeError('enough');
    });
    await expect(train(failing)).rejects.toThrow('training.compute_loss_func threw "enough".');
  });
});

/* Those above were sent to another thread. */
describe('a loss of the program', () => {
  beforeAll(() => trainHere());

  it.each(Object.entries(FORMS))('may be of any form: %s', async (form, loss) => {
    await train(withLoss(form, loss));
    expect(adapter(form)).toBe(adapter('loss-default'));
  });

  it('trains from a program on the command line', async () => {
    const { data, ...rest } = withLoss('program');
    workspace.write(
      'adalora.config.mjs',
      `const { training, ...config } = ${JSON.stringify({ ...rest, output: 'program', data })};
      const compute_loss_func = (logits, labels, { crossEntropy }) => crossEntropy(logits, labels);
      export default { ...config, training: { ...training, compute_loss_func } };`,
    );
    const planned = await workspace.run('plan', 'adalora.config.mjs');
    expect(planned).toMatchObject({ code: 0, stdout: expect.stringMatching(/^steps +12,/m) });
    await succeeds(workspace.run('train', 'adalora.config.mjs'));
    expect(adapter('program')).toBe(adapter('loss-default'));
  });

  it('resumes only with the same source', async () => {
    const controller = new AbortController();
    const half: LossFunction = (logits, labels, { crossEntropy, multiply }) =>
      multiply(crossEntropy(logits, labels), 0.5);
    const stopped = await train(withLoss('resumed', half), {
      signal: controller.signal,
      onEvent: ({ type, step }) => type === 'step' && step === 5 && controller.abort(),
    });
    expect(stopped.reason).toBe('stopped');
    await expect(train(withLoss('resumed', FORMS.closure), { resume: true })).rejects.toThrow(
      /training\.compute_loss_func is "function:\w+" \(was "function:\w+"\)/,
    );
    await refuses(
      workspace.run('train', 'resumed/config.yaml', '--resume'),
      'Resume the run with train() in the program that began it.',
    );
    await train(withLoss('resumed', half), { resume: true });
    await train(withLoss('whole', half));
    expect(adapter('resumed')).toBe(adapter('whole'));
  });

  it('replaces the loss', async () => {
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

  it('replaces the loss of embeddings, for a whole batch and in parts', async () => {
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

  it('trains as the example shows', () => {
    const example = readFileSync('examples/own-loss.ts', 'utf8')
      .replace("'sentence-transformers/all-MiniLM-L6-v2'", "'./model'")
      .replace('training: {', 'training: {\n    max_steps: 12,');
    expect(example).toContain('max_steps');
    expect(runTypeScript(workspace.folder, 'own-loss', example)).toContain('eval_accuracy');
  });

  it('is rejected with the reason, as are other functions', async () => {
    await expect(train(withLoss('class', class {} as never))).rejects.toThrow(
      /training\.compute_loss_func threw "Class constructors? .*cannot be invoked without 'new'"/,
    );
    await expect(train({ ...withLoss('metrics'), metrics: { cost: 3 } as never })).rejects.toThrow(
      '`metrics.cost` must be a function, got 3',
    );
    const scored = { ...config('score'), adalora: { score: () => 1 } } as never;
    await expect(train(scored)).rejects.toThrow('`adalora.score` must be one of sensitivity-uncertainty');
    await expect(train(config('near', { score: 'magnitud' }) as never)).rejects.toThrow(
      'Did you mean magnitude?',
    );
  });
});
