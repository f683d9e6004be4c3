import { beforeAll, describe, expect, it } from 'vitest';
import { relativeDistance } from '../../../tests/support/distance.ts';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { writeSmallGenerator } from '../../../tests/support/small-generator.ts';
import { everyParameter } from '../../methods/tuners/full/definition.ts';
import { nodeEngine } from '../../program/node/node-engine.ts';
import { preferenceModel } from '../../program/objectives/preference-model.ts';
import { Program } from '../../program/program.ts';
import { openModel, readFolder } from '../../use/trained/node/load-model.ts';
import type { EncodingContext } from '../prediction.ts';
import type { BuildTask } from '../task-definition.ts';
import { preference } from './definition.ts';
import golden from './fixtures/dpo.json' with { type: 'json' };
import { answerLikelihoods, preferenceExamples } from './preference-examples.ts';
import { type PreferenceData, preferenceDataSchema } from './preference-rows.ts';

const folder = newFolder();
beforeAll(() => {
  writeSmallGenerator(folder, 'llama');
});

const file = (content: string, name = 'pairs.jsonl') => ({ name, size: content.length, read: () => content });
const lines = (rows: readonly object[]) => file(rows.map((row) => JSON.stringify(row)).join('\n'));
const reading = (data: object = {}) => preferenceDataSchema.parse({ train: 'x', ...data });

/** Opens the model, all of whose parameters are trained. */
async function open(build: BuildTask, data: object = {}) {
  const model = await openModel(folder, build);
  const tuner = everyParameter(model);
  const values = tuner.initialValues(0, model.reader(0));
  const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
  const modality = (await readFolder(folder)).modality(model.config, 64);
  const context = {
    modality,
    reading: reading(data),
    labels: [],
    seed: 0,
  } as unknown as EncodingContext<PreferenceData>;
  const close = async () => {
    await program.release();
    model.close();
  };
  return { tuner, values, program, context, close };
}

/** TRL in double precision. A loss is rounded to 2⁻²⁴, the margin in it to some times this. */
const NEAR = 1e-6;
const CASES = Object.entries(golden.cases);

describe.each(CASES)("DPO of TRL's %s prompts", (_, { rows, ids, learnt_from, losses, gradients }) => {
  it('has its tokens, and its losses and gradients whole and in parts', async () => {
    for (const [i, beta] of golden.betas.entries()) {
      const { tuner, values: whole, program, context, close } = await open(preferenceModel({ beta }));
      const values = whole.map((value) => value * golden.scales[0]!);
      const read = preference.files.read([lines(rows)], reading());
      const plain = preferenceExamples(read, context);
      const prepared = await answerLikelihoods({ program, values }, plain, 2);
      const set = preferenceExamples(read, { ...context, prepared });
      expect(Array.from(set.lengths)).toEqual(ids.map((pair) => pair.flat().length));
      const { feeds } = set.batch(Int32Array.of(0, 1, 2), 0);
      const answers = ids.flatMap((pair, row) => pair.map((answer) => answer.slice(learnt_from[row])));
      expect([...(feeds.labels!.data as Int32Array)].sort()).toEqual(answers.flat().sort());

      expect(await program.loss(values, feeds)).toBeCloseTo(Math.LN2, 6);
      const moved = whole.map((value) => value * golden.scales[1]!);
      expect(Math.abs((await program.loss(moved, feeds)) - losses[i]!)).toBeLessThan(NEAR);
      const found = await program.differentiate(moved, feeds, 0, 1);
      expect(Math.abs(found.loss - losses[i]!)).toBeLessThan(NEAR);
      const gradient = found.gradient.slice();
      if (beta === 0.1)
        for (const { name, start, end } of tuner.layout.segments) {
          const [norm, ...some] = gradients[name as keyof typeof gradients];
          const own = gradient.subarray(start, end);
          const middle = Math.floor(own.length / 2);
          const those = [Math.hypot(...own), ...own.subarray(middle, middle + 3)];
          those.forEach((value, k) =>
            expect(Math.abs(value - [norm, ...some][k]!), name).toBeLessThan(NEAR * Math.max(1, norm!)),
          );
        }
      const sum = new Float32Array(gradient.length);
      for (let rank = 0; rank < 2; rank++) {
        const part = await program.differentiate(moved, feeds, 0, 1, {
          ...program.communicator,
          rank,
          size: 2,
        });
        part.gradient.forEach((value, k) => {
          sum[k]! += part.share * value;
        });
      }
      expect(relativeDistance(sum, gradient)).toBeLessThan(NEAR);
      await close();
    }
  });
});

describe('rows of preferences', () => {
  const read = (rows: readonly object[], data: object = {}) =>
    preference.files
      .read([lines(rows)], reading(data))
      .map(({ prompt, chosen, rejected }) => [prompt, chosen, rejected]);
  const user = (content: string) => ({ role: 'user', content });
  const bot = (content: string) => ({ role: 'assistant', content });

  it('have the prompt that both answers begin with, unless it is given', () => {
    expect(read([{ chosen: 'Is it 👍? No.', rejected: 'Is it 👍? Yes.' }])).toEqual([
      ['Is it 👍?', ' No.', ' Yes.'],
    ]);
    expect(read([{ chosen: '👍', rejected: '👎' }])).toEqual([['', '👍', '👎']]);
    expect(read([{ prompt: 'It', chosen: ' is', rejected: ' is not' }])).toEqual([['It', ' is', ' is not']]);
    const [chosen, rejected] = [
      [user('Hi'), bot('Ho')],
      [user('Hi'), bot('No')],
    ];
    const split = [[user('Hi')], [bot('Ho')], [bot('No')]];
    expect(read([{ chosen, rejected }])).toEqual([split]);
    // As in UltraFeedback: the prompt repeats the first message.
    expect(read([{ prompt: 'Hi', chosen, rejected }])).toEqual([split]);
    expect(read([{ prompt: [user('Hi')], chosen: 'Ho', rejected: 'No' }])).toEqual([split]);
    expect(read([{ q: 'a', good: 'b', bad: 'c' }], { prompt: 'q', chosen: 'good', rejected: 'bad' })).toEqual(
      [['a', 'b', 'c']],
    );
    const table = file('prompt,chosen,rejected\na,b,c\n,d,e\n', 'x.csv');
    expect(preference.files.read([table], reading())).toMatchObject([
      { line: 2, prompt: 'a', chosen: 'b', rejected: 'c' },
      { line: 3, prompt: '' },
    ]);
  });

  it('are refused with their lines', async () => {
    const bad = [
      { prompt: 'a', chosen: 'b', rejected: [bot('c')] },
      { prompt: 'a', chosen: 1, rejected: 'c' },
      { prompt: 'a', chosen: [{ content: 'b' }], rejected: 'c' },
    ];
    expect(() => read(bad)).toThrow(/:1 .*texts or messages in both[\s\S]*:2 .*"chosen"[\s\S]*:3 /);
    expect(() => read([{ prompt: 'a', chosen: 'b' }])).toThrow('rejected');
    const { context, close } = await open(preferenceModel({ beta: 0.1 }));
    const encode = (rows: readonly object[]) =>
      preferenceExamples(preference.files.read([lines(rows)], reading()), context);
    const long = { prompt: 'a b '.repeat(40), chosen: 'c', rejected: 'd' };
    expect(() => encode([{ prompt: 'a', chosen: 'b', rejected: 'b' }, long])).toThrow(
      /:1 .*two equal answers[\s\S]*:2 .*begins after data\.max_length \(64\)/,
    );
    const [silent, asks] = [
      [bot('a'), bot('b')],
      [bot('a'), bot('c')],
    ];
    expect(() => encode([{ chosen: silent, rejected: asks }])).toThrow('A user speaks first');
    await close();
  });
});
