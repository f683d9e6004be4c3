import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { largestDifference } from '../../../../scripts/conformance/compare.ts';
import { writeSmallGenerator } from '../../../../tests/support/small-generator.ts';
import { unpacked } from '../../../input/text/pack.ts';
import { openLanguageModel } from '../../../program/generation/causal-language-model.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import { labelledRows } from '../../../program/objectives/labelled-rows.ts';
import { modelFeeds } from '../../../program/objectives/model-inputs.ts';
import { packedBatch } from '../../../program/objectives/packed-batch.ts';
import { tokenModel } from '../../../program/objectives/token-model.ts';
import { Program } from '../../../program/program.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { startMethod } from '../../../studies/jobs/start-method.ts';
import { Random } from '../../../support/random.ts';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import { openModel } from '../../../use/trained/node/load-model.ts';
import type { TunedValues } from '../tuner.ts';

/** Rounding of logits of a few units, over two layers. */
const TOLERANCE = 2e-5;
const TOKENS = [7, 31, 12, 44, 9, 23];
const COUNT = 3;

const METHODS = ['prompt_tuning', 'prefix_tuning'] as const;
/** With full and windowed attention, shared key heads, rotary and absolute positions. */
const FAMILIES = ['llama', 'gpt2', 'gpt_neox', 'gemma2'] as const;
/** The window of Gemma 2 counts rows of the cache, as in transformers, and so documents before a packed one. */
const PACKED = ['llama', 'gpt2', 'gpt_neox'] as const;

const root = mkdtempSync(join(tmpdir(), 'virtual-'));
afterAll(() => rmSync(root, { recursive: true }));
beforeAll(() => {
  const noDropout = { resid_pdrop: 0, embd_pdrop: 0, attn_pdrop: 0 };
  for (const family of FAMILIES) writeSmallGenerator(join(root, family), family, noDropout);
});

async function opened(family: string, method: (typeof METHODS)[number]) {
  const model = await openModel(join(root, family), tokenModel('CAUSAL_LM'));
  const settings = { method, [method]: { num_virtual_tokens: COUNT } };
  const config = parseRunConfig(
    {
      defaults: 'huggingface',
      task: 'causal_lm',
      model: family,
      data: { train: 'x' },
      output: 'y',
      ...settings,
    },
    'test',
  );
  const { tuner } = startMethod(config, model, 10).run;
  const values = new Random(3, 'values').normals(tuner.layout.length, 0.5);
  return { model, tuner, values };
}

const ones = (count: number) => new Int32Array(count).fill(1);

/** Logits after each token of a text, read at once. */
async function wholeLogits({
  model,
  tuner,
  values,
}: TunedValues & { model: LoadedModel }): Promise<number[][]> {
  const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
  const length = TOKENS.length;
  const batch = { inputIds: Int32Array.from(TOKENS), tokenTypeIds: new Int32Array(length), batch: 1, length };
  const logits = await program.predict(values, modelFeeds({ ...batch, attentionMask: ones(length) }));
  const width = logits.length / length;
  const rows = TOKENS.map((_, i) => [...logits.subarray(i * width, (i + 1) * width)]);
  await program.release();
  return rows;
}

describe.each(METHODS)('%s', (method) => {
  it.each(FAMILIES)('reads a text of %s with a cache as at once', async (family) => {
    const tuned = await opened(family, method);
    const whole = await wholeLogits(tuned);
    const language = await openLanguageModel({ engine: nodeEngine(tuned.model, 'cpu'), ...tuned });
    expect(language.maxPositions).toBe(64 - COUNT);
    const first = await language.read(Int32Array.from(TOKENS.slice(0, 3)), 1, { mask: ones(3) });
    expect(largestDifference(whole[2]!, first)).toBeLessThan(TOLERANCE);
    for (let i = 3; i < TOKENS.length; i++)
      expect(
        largestDifference(whole[i]!, await language.read(Int32Array.of(TOKENS[i]!), 1, {})),
      ).toBeLessThan(TOLERANCE);
    await language.release();
    tuned.model.close();
  });

  it.each(['llama', 'gpt2'])(
    'reads padded texts of %s as alone, and continues them in other rows',
    async (family) => {
      const tuned = await opened(family, method);
      const whole = await wholeLogits(tuned);
      const language = await openLanguageModel({ engine: nodeEngine(tuned.model, 'cpu'), ...tuned });
      const prompts = Int32Array.from([0, 0, ...TOKENS.slice(0, 2), ...TOKENS.slice(0, 4)]);
      const mask = Int32Array.from([0, 0, 1, 1, 1, 1, 1, 1]);
      const width = whole[0]!.length;
      const read = await language.read(prompts, 2, { mask });
      expect(largestDifference(whole[1]!, read.subarray(0, width))).toBeLessThan(TOLERANCE);
      expect(largestDifference(whole[3]!, read.subarray(width))).toBeLessThan(TOLERANCE);
      const swapped = await language.read(Int32Array.of(TOKENS[4]!, TOKENS[2]!), 2, {
        parents: Int32Array.of(1, 0),
      });
      expect(largestDifference(whole[4]!, swapped.subarray(0, width))).toBeLessThan(TOLERANCE);
      expect(largestDifference(whole[2]!, swapped.subarray(width))).toBeLessThan(TOLERANCE);
      await language.release();
      tuned.model.close();
    },
  );

  it('reads a prompt again from its first other token on', async () => {
    const tuned = await opened('llama', method);
    const whole = await wholeLogits(tuned);
    const engine = nodeEngine(tuned.model, 'cpu');
    const language = await openLanguageModel({ engine, ...tuned }, { continues: true });
    await language.read(Int32Array.from([...TOKENS.slice(0, 4), 50]), 1, { mask: ones(5) });
    const again = await language.read(Int32Array.from(TOKENS), 1, { mask: ones(TOKENS.length) });
    expect(largestDifference(whole[TOKENS.length - 1]!, again)).toBeLessThan(TOLERANCE);
    await language.release();
    tuned.model.close();
  });

  it.each(PACKED)('learns packed texts of %s as each alone', async (family) => {
    const { model, tuner, values } = await opened(family, method);
    const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
    const documents = [TOKENS, [3, 40, 29, 5], [8, 16]];
    const starts = [0];
    for (const document of documents) starts.push(starts.at(-1)! + document.length);
    const tokens = Int32Array.from(documents.flat());
    const sequences = {
      tokens,
      learnt: new Uint8Array(tokens.length).fill(1),
      starts: Int32Array.from(starts),
      truncated: 0,
    };
    const predictsFirst = tuner.virtualTokens?.predictsFirst ?? false;
    const learn = async (packing: ReturnType<typeof unpacked>, row: number) => {
      const batch = packedBatch(sequences, packing, Int32Array.of(row), 0, predictsFirst);
      const positions = predictsFirst ? batch.positionIds : undefined;
      const labels = labelledRows(batch.labels, 1, batch.length, true, positions);
      const feeds = { ...modelFeeds(batch), ...labels };
      const { loss, gradient } = await program.differentiate(values, feeds, 0, 1);
      const count = labels.labels!.data.length;
      return { count, loss: count * loss, gradient: gradient.map((value) => count * value) };
    };
    const packed = await learn({ items: Int32Array.of(0, 1, 2), starts: Int32Array.of(0, 3) }, 0);
    const alone: Awaited<ReturnType<typeof learn>>[] = [];
    for (const row of documents.keys()) alone.push(await learn(unpacked(3), row));
    const sum = (of: (part: (typeof alone)[0]) => number) => alone.reduce((all, part) => all + of(part), 0);
    expect(packed.count).toBe(tokens.length - (predictsFirst ? 0 : documents.length));
    expect(packed.count).toBe(sum(({ count }) => count));
    expect(Math.abs(packed.loss - sum(({ loss }) => loss))).toBeLessThan(1e-4);
    packed.gradient.forEach((value, i) =>
      expect(Math.abs(value - sum(({ gradient }) => gradient[i]!))).toBeLessThan(1e-4),
    );
    await program.release();
    model.close();
  });

  it('has the same gradient with gradient checkpointing', async () => {
    const { model, tuner, values } = await opened('llama', method);
    const length = TOKENS.length;
    const batch = {
      inputIds: Int32Array.from(TOKENS),
      tokenTypeIds: new Int32Array(length),
      batch: 1,
      length,
    };
    const feeds = {
      ...modelFeeds({ ...batch, attentionMask: ones(length) }),
      ...labelledRows(batch.inputIds, 1, length, true),
    };
    const gradients = [];
    for (const gradientCheckpointing of [false, true]) {
      const program = new Program(nodeEngine(model, 'cpu'), model, tuner, { gradientCheckpointing });
      gradients.push((await program.differentiate(values, feeds, 0, 1)).gradient.slice());
      await program.release();
    }
    expect(largestDifference([...gradients[0]!], gradients[1]!)).toBeLessThan(TOLERANCE);
    expect(gradients[0]!.some((value) => Math.abs(value) > 1e-3)).toBe(true);
    model.close();
  });
});
