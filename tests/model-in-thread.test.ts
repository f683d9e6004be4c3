import { closeSync, openSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Confusion } from '../src/program/example-set.ts';
import { UserError } from '../src/support/user-error.ts';
import type { ClassAnswer } from '../src/tasks/single-label-classification/definition.ts';
import { open as openHere } from '../src/use/trained/node/open.ts';
import { openInThread as open } from '../src/use/trained/node/open-in-thread.ts';
import type { ModelInThread } from '../src/use/trained/thread/model-in-thread.ts';
import { newWorkspace } from './support/commands.ts';
import { writeSmallGenerator } from './support/small-generator.ts';
import { tinyRows } from './support/tiny-data.ts';

const TEXTS = tinyRows(64, 3).map(({ text }) => ({ text }));

const workspace = newWorkspace();
let model: ModelInThread;
beforeAll(async () => {
  const { code, stderr } = await workspace.train('method=lora', 'training.max_steps=2');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  model = await open(workspace.path('run'), { model: workspace.path('model') });
});
afterAll(async () => {
  await model.close();
});

async function answersOf(inputs: Iterable<{ text: string }>, signal?: AbortSignal): Promise<ClassAnswer[]> {
  const answers: ClassAnswer[] = [];
  for await (const answer of model.predict(inputs, { signal })) answers.push(answer);
  return answers;
}

/** The number of this thread's event loop turns until something is done. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await new Promise(setImmediate);
    turns++;
  }
  await done;
  return turns;
}

describe('predict', () => {
  it('returns the same as a model in this thread, and leaves the event loop free', async () => {
    await answersOf(TEXTS);
    await using here = await openHere(workspace.path('run'), { model: workspace.path('model') });
    const expected: ClassAnswer[] = [];
    const takeAll = async () => {
      for await (const answer of here.predict(TEXTS)) expected.push(answer);
    };
    await takeAll();
    expected.length = 0;
    let answers: ClassAnswer[] = [];
    const inThisThread = await turnsDuring(takeAll());
    let elsewhere = 0;
    // If other processes take the processor, this thread may hardly run during one prediction.
    for (let tries = 0; elsewhere <= 100 && tries < 50; tries++) {
      elsewhere = await turnsDuring(answersOf(TEXTS).then((all) => (answers = all)));
      expect(answers).toEqual(expected);
    }
    // One batch: the engine blocks its thread, with a few turns around it.
    expect(inThisThread).toBeLessThan(20);
    expect(elsewhere).toBeGreaterThan(100);
  });

  it('answers many callers at once as each alone', async () => {
    const alone = await answersOf(TEXTS.slice(0, 8));
    const together = await Promise.all(TEXTS.slice(0, 8).map((text) => answersOf([text])));
    for (const [i, [answer]] of together.entries()) {
      expect(answer!.label).toBe(alone[i]!.label);
      // Padding differs between batches, and sums are computed in another order.
      expect(answer!.probabilities.good).toBeCloseTo(alone[i]!.probabilities.good!, 5);
    }
  });

  it('ends with the reason of a signal, whether it is aborted before or meanwhile', async () => {
    await expect(answersOf(TEXTS, AbortSignal.abort(new Error('early')))).rejects.toThrow('early');
    const controller = new AbortController();
    const answers = answersOf(TEXTS, controller.signal);
    controller.abort(new Error('gone'));
    await expect(answers).rejects.toThrow('gone');
    expect(await answersOf(TEXTS.slice(0, 1))).toHaveLength(1);
  });

  it('rejects arguments that cannot be sent to another thread', async () => {
    const inputs = [{ text: () => 'a cat' }] as unknown as { text: string }[];
    await expect(answersOf(inputs)).rejects.toThrow('the arguments must be plain data: ');
  });
});

describe('evaluate', () => {
  const data = () => workspace.path('dev.tsv');

  it("calls the caller's functions in this thread", async () => {
    let confusion: Confusion | undefined;
    const scores = await model.evaluate({
      data: data(),
      metrics: { rows: async (predictions: readonly ClassAnswer[]) => predictions.length },
      onConfusion(found) {
        confusion = found;
      },
    });
    expect(scores.eval_rows).toBe(48);
    expect(confusion?.counts.flat().reduce((a, b) => a + b)).toBe(48);
  });

  it.each(['metrics', 'onConfusion'] as const)('fails with an error of a function: %s', async (name) => {
    const mistake = new Error('mine');
    const fail = () => {
      throw mistake;
    };
    const more = name === 'metrics' ? { metrics: { own: fail } } : { onConfusion: fail };
    await expect(model.evaluate({ data: data(), ...more })).rejects.toBe(mistake);
  });

  it('ends with the reason of a signal, also while a score is computed', async () => {
    const signal = AbortSignal.abort(new Error('early'));
    await expect(model.evaluate({ data: data(), signal })).rejects.toThrow('early');
    const controller = new AbortController();
    const own = async () => {
      controller.abort(new Error('gone'));
      return 1;
    };
    const aborted = model.evaluate({ data: data(), metrics: { own }, signal: controller.signal });
    await expect(aborted).rejects.toThrow('gone');
  });
});

describe('close', () => {
  const opened = () => open(workspace.path('run'), { model: workspace.path('model') });

  it('waits for earlier requests, and rejects later ones', async () => {
    const closing = await opened();
    const answer = closing.predict(TEXTS).next();
    await closing.close();
    expect((await answer).value).toMatchObject({ label: expect.any(String) });
    const later = [
      closing.predict(TEXTS).next(),
      closing.evaluate({ data: workspace.path('dev.tsv') }),
      closing.generate('a'),
      closing.merge(workspace.path('late')),
      closing.export('lora', workspace.path('late')),
    ];
    for (const call of later) {
      await expect(call).rejects.toThrow(UserError);
      await expect(call).rejects.toThrow('is called on a model that was closed');
    }
  });

  it.each([
    ['in its thread', opened],
    ['in this one', () => openHere(workspace.path('run'), { model: workspace.path('model') })],
  ])('twice closes no file of the caller: %s', async (_, openIt) => {
    await using closing = await openIt();
    await closing.close();
    const own = Array.from({ length: 8 }, (_, i) => openSync(workspace.path(`own-${i}`), 'w'));
    await closing.close();
    for (const file of own) {
      expect(writeSync(file, 'mine')).toBe(4);
      closeSync(file);
    }
    await expect(closing.predict(TEXTS).next()).rejects.toThrow('is called on a model that was closed');
  });
});

describe('generate', () => {
  let writer: ModelInThread;
  beforeAll(async () => {
    writeSmallGenerator(workspace.path('llama'), 'llama');
    writer = await open(workspace.path('llama'), { generates: true });
  });
  afterAll(() => writer.close());

  it('streams pieces as they are generated, and queues calls', async () => {
    const pieces: string[] = [];
    const options = { max_new_tokens: 8, onText: (piece: string) => pieces.push(piece) };
    const [first, second] = await Promise.all([
      writer.generate('the cat', options),
      writer.generate('the cat', { max_new_tokens: 8 }),
    ]);
    expect(pieces.join('')).toBe(first.text);
    expect(second).toEqual(first);
    expect(first.ids.length).toBe(8);
  });

  it('ends with the reason of a signal, and with an error of onText', async () => {
    const controller = new AbortController();
    const onText = () => controller.abort(new Error('enough'));
    const aborted = writer.generate('the', { max_new_tokens: 50, onText, signal: controller.signal });
    await expect(aborted).rejects.toThrow('enough');
    const mistake = new Error('mine');
    const fail = () => {
      throw mistake;
    };
    await expect(writer.generate('the', { max_new_tokens: 50, onText: fail })).rejects.toBe(mistake);
  });

  it('rejects keys without effect', async () => {
    const options = { max_new_token: 5 } as object;
    await expect(writer.generate('the', options)).rejects.toThrow('max_new_token');
  });

  it('rejects predictions', async () => {
    await expect(writer.predict([{ text: 'a' }]).next()).rejects.toThrow(UserError);
  });
});
