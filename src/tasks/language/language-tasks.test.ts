import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { largestDifference } from '../../../scripts/conformance/compare.ts';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { type TinyFamily, writeTinyTextModel } from '../../../tests/support/tiny-text-model.ts';
import { holdOut } from '../../input/data/split-rows.ts';
import { collate } from '../../input/text/batches.ts';
import { everyParameter } from '../../methods/tuners/full/definition.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import type { Modality } from '../../program/modalities/modality.ts';
import { requireTexts, type Texts } from '../../program/modalities/texts.ts';
import { nodeEngine } from '../../program/node/node-engine.ts';
import { IGNORED_LABEL, labeledRows } from '../../program/objectives/labeled-rows.ts';
import { modelFeeds } from '../../program/objectives/model-inputs.ts';
import { Program } from '../../program/program.ts';
import { differentiateStep } from '../../training/train/differentiate-step.ts';
import { openModel, readFolder } from '../../use/trained/node/load-model.ts';
import { type CausalData, causalDataSchema } from '../causal-lm/causal-examples.ts';
import { causalLm } from '../causal-lm/definition.ts';
import { type MaskedData, maskedDataSchema, maskedLm } from '../masked-lm/definition.ts';
import type { EncodingContext } from '../prediction.ts';

const folder = newFolder();

const file = (content: string, name = 'x.txt') => ({ name, size: content.length, read: () => content });
const lines = (rows: object[]) => file(rows.map((row) => JSON.stringify(row)).join('\n'), 'x.jsonl');
const TEXT =
  'One day the Captain came home, and the little girl ran to him.\nShe said: "Papa!"\n\nThen tea.\n';

/** Opens a tiny model without dropout, and the context for its examples. */
async function open<Data extends CausalData | MaskedData>(
  family: TinyFamily,
  data: object,
  maxLength: number,
) {
  const path = join(folder, family);
  writeTinyTextModel(path, family, {
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
    resid_pdrop: 0,
    embd_pdrop: 0,
    attn_pdrop: 0,
  });
  const task = family === 'bert' ? maskedLm : causalLm;
  const schema = family === 'bert' ? maskedDataSchema : causalDataSchema;
  const model = await openModel(path, task.build([]));
  const tuner = everyParameter(model);
  const values = tuner.initialValues(0, model.reader(0));
  const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
  const reading = schema.parse({ train: 'x', ...data });
  const described = await readFolder(path);
  const textsUpTo = (most: number | undefined, vocabSize = model.config.vocabSize) =>
    described.modality({ ...model.config, vocabSize }, most);
  const modality = textsUpTo(maxLength);
  const context = { modality, reading, labels: [], seed: 0 };
  return {
    textsUpTo,
    model,
    program,
    values,
    context: context as unknown as EncodingContext<Data>,
  };
}

/** The mean of -log p over labels, from separately computed logits, in float64. */
function meanLoss(logits: Float32Array, classes: number, labels: ArrayLike<number>): number {
  let sum = 0;
  for (let row = 0; row < labels.length; row++) {
    const scores = logits.subarray(row * classes, (row + 1) * classes);
    const largest = scores.reduce((a, b) => Math.max(a, b));
    sum +=
      largest +
      Math.log(scores.reduce((total, x) => total + Math.exp(x - largest), 0)) -
      scores[labels[row]!]!;
  }
  return sum / labels.length;
}

describe.each(['llama', 'gpt2'] as const)('causal language modelling with %s', (family) => {
  it('has the perplexity of the single documents, packed or not', async () => {
    const { model, program, values, context } = await open<CausalData>(family, { sample_by: 'line' }, 64);
    // Computes each document separately, with logits of every token, and sums the loss here.
    const texts = requireTexts(context.modality);
    let [sum, tokens] = [0, 0];
    for (const line of TEXT.split('\n').filter(Boolean)) {
      const ids = Int32Array.of(...texts.frame().before, ...texts.ids(line), texts.endId as number);
      const batch = collate([{ inputIds: ids, tokenTypeIds: ids, truncated: false }], 0);
      const logits = await program.predict(values, modelFeeds(batch));
      const labels = ids.subarray(1);
      sum += labels.length * meanLoss(logits, model.config.vocabSize, labels);
      tokens += labels.length;
    }
    for (const packing of [true, false]) {
      const reading = { ...context.reading, packing };
      const evaluation = causalLm.evaluation([file(TEXT)], { ...context, reading }, 2);
      expect(evaluation.examples.lengths.length).toBe(packing ? 1 : 3);
      const scores = await evaluation.run(program, values);
      expect(scores.eval_loss).toBeCloseTo(sum / tokens, 5);
      expect(scores.eval_perplexity).toBe(Math.exp(scores.eval_loss!));
    }
    await program.release();
    model.close();
  });

  it('accumulates micro-batches of different weight to the gradient of one batch', async () => {
    const { model, program, values, context } = await open<CausalData>(family, { packing: false }, 64);
    const rows = [
      { prompt: 'The little girl', completion: ' ran.' },
      { prompt: 'One', completion: ' day the Captain came home, and said: "Papa!"' },
      { prompt: 'Then', completion: ' tea' },
    ];
    const set = causalLm.examples([lines(rows)], context);
    const step = async (...batches: number[][]) => {
      const made = batches.map((examples, number) => ({
        ...set.batch(Int32Array.from(examples), number),
        number,
        examples: examples.length,
        tokens: examples.length,
      }));
      const all = made.reduce((total, { weight }) => total + weight, 0);
      const weighted = made.map((batch) => ({ ...batch, weight: batch.weight / all }));
      const { loss, gradient } = await differentiateStep(program, values, weighted, 0);
      return { loss, gradient: gradient.slice(), all };
    };
    const whole = await step([0, 1, 2]);
    const parts = await step([0], [1], [2]);
    expect(parts.all).toBe(whole.all);
    expect(parts.loss).toBeCloseTo(whole.loss, 6);
    const largest = whole.gradient.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    expect(largestDifference(whole.gradient, parts.gradient) / largest).toBeLessThan(1e-5);
    await program.release();
    model.close();
  });
});

describe('examples of causal language modelling', () => {
  let context: EncodingContext<CausalData>;
  let texts: Texts;
  const idsOf = (text: string) => [...texts.ids(text)];
  let textsUpTo: (most: number, vocabSize?: number) => Modality;
  const labelsOf = (set: ExampleSet) => {
    const { feeds } = set.batch(Int32Array.from(set.lengths.keys()), 0);
    return [...(feeds.labels!.data as Int32Array)].filter((id) => id !== IGNORED_LABEL);
  };
  const make = (source: ReturnType<typeof file>, reading: object = {}, maxLength = 64) =>
    causalLm.examples([source], {
      ...context,
      modality: textsUpTo(maxLength),
      reading: { ...context.reading, packing: false, ...reading },
    });
  beforeAll(async () => {
    const opened = await open<CausalData>('llama', {}, 64);
    opened.model.close();
    ({ context, textsUpTo } = opened);
    texts = requireTexts(context.modality);
  });
  const PROMPTS = lines([{ prompt: 'Q: why? A:', completion: ' because' }]);
  const CHATS = lines([
    {
      messages: [
        { role: 'user', content: 'Why?' },
        { role: 'assistant', content: 'So.' },
        { role: 'user', content: 'Ah' },
      ],
    },
  ]);

  it("have labels for completions and for the assistant's turns", () => {
    expect(labelsOf(make(PROMPTS))).toEqual(idsOf(' because<|end_of_text|>'));
    expect(labelsOf(make(CHATS))).toEqual(idsOf('So.<|im_end|>\n'));
  });

  it('have labels for everything with completion_only_loss: false', () => {
    expect(labelsOf(make(PROMPTS, { completion_only_loss: false }))).toEqual(
      idsOf('Q: why? A: because<|end_of_text|>'),
    );
    expect(labelsOf(make(CHATS, { completion_only_loss: false }))).toEqual(
      idsOf('user\nWhy?<|im_end|>\n<|im_start|>assistant\nSo.<|im_end|>\n<|im_start|>user\nAh<|im_end|>\n'),
    );
  });

  it('are truncated, or rejected with their lines if nothing is left to learn', () => {
    expect(make(PROMPTS, {}, 14)).toMatchObject({ truncated: 1, lengths: Int32Array.of(14) });
    expect(() => make(PROMPTS, {}, 5)).toThrow(
      'x.jsonl:1 has nothing to learn: its answers begin after data.max_length (5).',
    );
    const silent = lines([{ messages: [{ role: 'user', content: 'Why?' }] }]);
    expect(() => make(silent)).toThrow('x.jsonl:1 has nothing to learn: it has no answer.');
  });

  it('report the lines of conversations that the template rejects', () => {
    const odd = lines([{ messages: [{ role: 'assistant', content: 3 }] }]);
    expect(() => make(odd)).toThrow('x.jsonl:1 needs a list of messages in "messages"');
    const none = lines([{ messages: [{ role: 'assistant' }] }]);
    expect(() => make(none)).toThrow(/^x\.jsonl:1 does not fit the chat template: .*chat_template/);
  });

  it('of long texts are blocks', () => {
    const set = make(file(TEXT), {}, 16);
    const total = set.lengths.reduce((a, b) => a + b);
    expect(Math.max(...set.lengths)).toBe(16);
    expect(total).toBe(texts.ids(TEXT).length + 2);
    expect(set.truncated).toBe(0);
  });

  it('report empty files, and tokens that the model does not have', () => {
    expect(() => make(file('\n \n'))).toThrow('x.txt is empty.');
    expect(() => causalLm.examples([file(TEXT)], { ...context, modality: textsUpTo(64, 100) })).toThrow(
      "but vocab_size in the model's config.json is 100",
    );
  });
});

describe('masked language modelling', () => {
  const SENTENCES =
    'the cat sat on the mat.\nthe dog ran, not very badly.\nbirds flew and fishs swam\n'.repeat(20);

  it('has the loss of its single masks, the same for any batches', async () => {
    const { model, program, values, context } = await open<MaskedData>('bert', { sample_by: 'line' }, 32);
    const evaluation = maskedLm.evaluation([file(SENTENCES)], context, 8);
    const scores = await evaluation.run(program, values);
    const { examples } = evaluation;
    let [sum, tokens] = [0, 0];
    for (let example = 0; example < examples.lengths.length; example++) {
      const { feeds, weight } = examples.batch(Int32Array.of(example), 99);
      const logits = await program.predict(values, feeds);
      const classes = model.config.vocabSize;
      const rows = Array.from(feeds.label_rows!.data, (row) =>
        logits.slice(row * classes, (row + 1) * classes),
      );
      rows.forEach((row, i) => {
        sum += meanLoss(row, classes, [feeds.labels!.data[i]!]);
      });
      tokens += weight;
    }
    expect(scores.eval_loss).toBeCloseTo(sum / tokens, 5);
    expect(scores.eval_perplexity).toBe(Math.exp(scores.eval_loss!));
    await program.release();
    model.close();
  });

  it('adds special tokens to blocks and masks others in every batch, depending only on (seed, number)', async () => {
    const { model, context } = await open<MaskedData>('bert', {}, 12);
    const set = maskedLm.examples([file(SENTENCES)], context);
    expect(new Set(set.lengths.subarray(0, -1))).toEqual(new Set([12]));
    const chosen = Int32Array.of(0, 1, 2);
    const first = set.batch(chosen, 5);
    expect(set.batch(chosen, 5)).toEqual(first);
    expect(set.batch(chosen, 6).feeds.input_ids).not.toEqual(first.feeds.input_ids);
    const other = maskedLm.examples([file(SENTENCES)], { ...context, seed: 1 });
    expect(other.batch(chosen, 5).feeds.input_ids).not.toEqual(first.feeds.input_ids);
    // [CLS] and [SEP] of three examples, sequence-major.
    const ids = first.feeds.input_ids!.data;
    expect([...ids.subarray(0, 3), ...ids.subarray(33, 36)]).toEqual([2, 2, 2, 3, 3, 3]);
    model.close();
  });

  it('needs a mask token and room', async () => {
    const { model, context } = await open<MaskedData>('bert', {}, 2);
    expect(() => maskedLm.examples([file('a cat')], context)).toThrow('data.max_length');
    const config = { ...model.config, vocabSize: 1000, maxLength: 128 };
    const modality = (await readFolder(join(folder, 'gpt2'))).modality(config, 16);
    expect(() => maskedLm.examples([file('a cat')], { ...context, modality })).toThrow(
      'has no mask token (mask_token in ',
    );
    model.close();
  });
});

it('ignored labels count for nothing', () => {
  const { labels } = labeledRows(Int32Array.of(5, IGNORED_LABEL, 7, 8), 2, 2, false);
  expect([...labels!.data]).toEqual([5, 7, 8]);
});

describe('held-out records', () => {
  const split = (files: ReturnType<typeof file>[], share: number, data = {}) => {
    const reading = causalDataSchema.parse({ train: 'x', ...data });
    const parts = holdOut(causalLm.files.splittable!(files, reading), share);
    return [parts.train, parts.validation].map((part) => part.map(({ read }) => read()));
  };
  const numbers = Array.from({ length: 20 }, (_, i) => i);

  it.each([
    ['rows of JSON Lines', (rows: object[]) => rows.map((row) => JSON.stringify(row)).join('\n')],
    ['rows of a JSON list', (rows: object[]) => JSON.stringify(rows, null, 1)],
  ])('are %s on their lines, with equal prompts on one side', async (_, written) => {
    const rows = [...numbers, ...numbers].map((i, row) => ({ prompt: `prompt ${i}`, completion: `${row}` }));
    const content = written(rows);
    const parts = split([file(content, 'x.jsonl')], 0.25);
    const [train, validation] = parts.map(([part]) => {
      expect(part!.split('\n')).toHaveLength(content.split('\n').length);
      return [...part!.matchAll(/prompt \d+/g)].map(([prompt]) => prompt);
    });
    expect([train!.length, validation!.length]).toEqual([30, 10]);
    expect(validation!.filter((prompt) => train!.includes(prompt))).toEqual([]);
    const lines = parts.map(([part]) => part!.split('\n'));
    content.split('\n').forEach((line, i) => {
      // Commas and brackets of a list stay on both sides.
      expect(lines.map((ofPart) => ofPart[i]).some((kept) => kept === line)).toBe(true);
    });
    const { context } = await open<CausalData>('gpt2', {}, 32);
    const examples = ({ lengths }: ExampleSet) => lengths.length;
    const reading = causalDataSchema.parse({ train: 'x', packing: false });
    const held = holdOut(causalLm.files.splittable!([file(content, 'x.jsonl')], reading), 0.25);
    expect(examples(causalLm.examples(held.validation, { ...context, reading }))).toBe(10);
  });

  it('are conversations without their last answers, or texts', () => {
    const turn = (role: string, content: string) => ({ role, content });
    const asked = [...numbers, ...numbers].map((i, row) => ({
      messages: [turn('user', `question ${i}`), turn('assistant', `answer ${row}`)],
    }));
    const [train, validation] = split([lines(asked)], 0.25).map(([part]) => part!);
    const questions = validation!.match(/question \d+/g)!;
    expect(questions).toHaveLength(10);
    for (const question of questions) expect(train).not.toContain(`"${question}"`);
    const texts = [lines(numbers.map((i) => ({ text: `t ${i}`, id: 1 }))), lines([{ text: 't 3', id: 2 }])];
    const together = split(texts, 0.9);
    expect(together.filter((part) => part.join('').includes('"t 3"'))).toHaveLength(1);
  });

  it('are paragraphs of a plain text, or lines, and each file has its share', () => {
    const files = ['a', 'b'].map((name) => file(numbers.map((i) => `${name} ${i}`).join('\r\n\r\n')));
    const [train, validation] = split(files, 0.25);
    const counts = (part: string[] | undefined) => part!.map((text) => text.match(/\d+/g)!.length);
    expect(counts(train).map((count, i) => count + counts(validation)[i]!)).toEqual([20, 20]);
    expect(counts(validation).reduce((sum, count) => sum + count)).toBe(10);
    const byLine = split([file(numbers.join('\n\n'))], 0.25, { sample_by: 'line' });
    expect(byLine.map(([part]) => part!.split('\n').filter(Boolean).length)).toEqual([15, 5]);
  });
});
