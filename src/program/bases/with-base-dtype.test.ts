import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { describeIn, openIn } from '../../../tests/support/describe-in.ts';
import { openForTask } from '../../../tests/support/open-for-task.ts';
import { readSafetensors, writeSafetensors } from '../../../tests/support/safetensors-file.ts';
import { writeTinyModel } from '../../../tests/support/tiny-model.ts';
import type { WeightLocation } from '../../engine/onnx/lower.ts';
import { quantizeBlocks } from '../../input/formats/quantize.ts';
import type { StoredTensor } from '../../input/formats/tensor-data.ts';
import { isTemporary } from '../../input/store/node/temporary-name.ts';
import { loraConfigSchema } from '../../methods/tuners/lora/config.ts';
import { LoraTuner } from '../../methods/tuners/lora/lora-tuner.ts';
import { FROZEN } from '../../methods/tuners/tuner.ts';
import { initialize } from '../../models/bind-checkpoint.ts';
import { Random } from '../../support/random.ts';
import { models, openModel } from '../../use/trained/node/load-model.ts';
import { openLanguageModel } from '../generation/causal-language-model.ts';
import { nodeEngine } from '../node/node-engine.ts';
import { labeledRows } from '../objectives/labeled-rows.ts';
import { modelFeeds } from '../objectives/model-inputs.ts';
import { tokenModel } from '../objectives/token-model.ts';
import { Program } from '../program.ts';
import type { LoadedModel } from '../weight-memory.ts';
import { quantizedPaths } from './base-format.ts';
import { inputMagnitudes, withBaseDtype } from './with-base-dtype.ts';

const CONFIG = {
  model_type: 'llama',
  vocab_size: 50,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 32,
  tie_word_embeddings: false,
};
const causal = tokenModel('CAUSAL_LM');
const CONFIG_SETTINGS = { target_modules: ['q_proj', 'down_proj'], r: 4 };
const BERT_SETTINGS = { target_modules: ['query', 'output.dense'], r: 4 };

async function results(model: LoadedModel, settings: object = CONFIG_SETTINGS) {
  const tuner = LoraTuner.create(model, loraConfigSchema.parse(settings));
  const values = new Random(3, 'values').normals(tuner.layout.length, 0.05);
  const inputIds = Int32Array.from({ length: 14 }, (_, i) => (7 * i) % 50);
  const attentionMask = new Int32Array(14).fill(1);
  const feeds = {
    ...modelFeeds({ inputIds, tokenTypeIds: new Int32Array(14), attentionMask, batch: 2, length: 7 }),
    ...labeledRows(inputIds, 2, 7, true),
  };
  const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
  const { loss, gradient } = await program.differentiate(values, feeds, 0, 1);
  const found = { loss, gradient: gradient.slice(), logits: (await program.predict(values, feeds)).slice() };
  await program.release();
  return found;
}

/** The logits for two texts that are read as in generation: six tokens at once, then one. */
async function nextLogits(model: LoadedModel): Promise<Float32Array> {
  const engine = nodeEngine(model, 'cpu');
  const tuned = { engine, model, tuner: FROZEN.tuner, values: new Float32Array(1) };
  const language = await openLanguageModel(tuned);
  const prompt = Int32Array.from({ length: 12 }, (_, i) => (7 * i) % 50);
  await language.read(prompt, 2, { mask: new Int32Array(12).fill(1) });
  const logits = (await language.read(Int32Array.of(3, 4), 2, {})).slice();
  await language.release();
  return logits;
}

const norm = (vector: Float32Array) => Math.hypot(...vector);

const BLOCK_SIZE = 64;

describe('a base in blocks', () => {
  let root: string;
  const folder = (name: string) => join(root, name);

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'adalora-'));
    const config = JSON.stringify(CONFIG);
    for (const name of ['base', 'int8', 'int4', 'outlier', 'outlier int8', 'outlier int4']) {
      mkdirSync(folder(name));
      writeFileSync(join(folder(name), 'config.json'), config);
    }
    const model = describeIn(folder('base'), causal);
    const paths = quantizedPaths(model);
    const tensors = [...model.parameters].map(([name, shape]) => ({
      name,
      shape: [...shape],
      data: initialize(name, shape, 5, 0.1),
    }));
    // One outlier column, as in pretrained decoders.
    const withOutlier = (name: string, data: Float32Array) =>
      name.endsWith('layernorm.weight') ? data.with(5, 12) : data;
    const write = (to: string, change: (name: string, data: Float32Array) => Float32Array) => {
      const stored = tensors.map(({ name, shape, data }): [string, StoredTensor] => [
        name,
        { dtype: 'F32', shape, data: change(name, data) },
      ]);
      writeSafetensors(join(folder(to), 'model.safetensors'), new Map(stored));
    };
    const isInBlocks = (name: string) => paths.has(name.replace('.weight', ''));
    write('base', (_, data) => data);
    write('outlier', withOutlier);
    for (const bits of [4, 8] as const) {
      const rounded = (name: string, data: Float32Array) => (isInBlocks(name) ? restored(data, bits) : data);
      write(`int${bits}`, rounded);
      write(`outlier int${bits}`, (name, data) => withOutlier(name, rounded(name, data)));
    }
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it('covers all linear modules but the head', async () => {
    const paths = quantizedPaths(describeIn(folder('base'), causal));
    expect(paths.size).toBe(2 * 7);
    expect(paths).not.toContain('lm_head');
  });

  it.each(['int8', 'int4'] as const)(
    '%s computes on bytes in training, with a small error in spite of an outlier',
    async (dtype) => {
      const [plain, rounded] = [
        await openModel(folder('outlier'), causal),
        await openModel(folder(`outlier ${dtype}`), causal),
      ];
      const cacheFolder = folder('cache');
      const model = await withBaseDtype(models.machine, await openModel(folder('outlier'), causal), dtype, {
        cacheFolder,
      });
      // The columns were measured over a copy in blocks, which is gone.
      expect(readdirSync(cacheFolder).filter((name) => name.includes('measured'))).toEqual([]);
      const [ours, expected, whole] = [await results(model), await results(rounded), await results(plain)];
      const distance = (a: Float32Array, b: Float32Array) => norm(a.map((x, i) => x - b[i]!)) / norm(b);
      // Each product has an error of one or two percent. The total error is 0.032 in the logits and 0.041 in the
      // gradient. Without smoothing, it would be 0.045 and 0.073.
      expect(distance(ours.logits, expected.logits)).toBeLessThan(0.04);
      expect(distance(ours.gradient, expected.gradient)).toBeLessThan(0.055);
      // With 4 bits, training sees the rounded weights, as generation does.
      if (dtype === 'int4') expect(distance(ours.logits, whole.logits)).toBeGreaterThan(0.1);
      for (const opened of [model, plain, rounded]) opened.close();
    },
  );

  it.each(['int8', 'int4'] as const)(
    '%s also rounds activations in a graph that generates, with a small error',
    async (dtype) => {
      const model = await withBaseDtype(models.machine, await openModel(folder('base'), causal), dtype, {
        cacheFolder: folder('cache'),
      });
      const rounded = await openModel(folder(dtype), causal);
      const [ours, expected] = [await nextLogits(model), await nextLogits(rounded)];
      const difference = norm(ours.map((logit, i) => logit - expected[i]!)) / norm(expected);
      // Shows that the byte kernels are used: another order of summation alone changes the result by less.
      expect(difference).toBeGreaterThan(1e-3);
      // On average, rounding changes an activation by a quarter of 1 / 127 of its block's maximum, which is
      // 0.6 % of a normal activation. A product has the same relative error. Four products per layer follow
      // one another, and 2 % was measured.
      expect(difference).toBeLessThan(0.05);
      for (const opened of [model, rounded]) opened.close();
    },
  );

  it('has the head over words twice: whole, and in 8-bit blocks for graphs that generate', async () => {
    const tied = folder('tied');
    mkdirSync(tied);
    writeFileSync(join(tied, 'config.json'), JSON.stringify({ ...CONFIG, tie_word_embeddings: true }));
    const tensors = readSafetensors(join(folder('int8'), 'model.safetensors'));
    tensors.delete('lm_head.weight');
    writeSafetensors(join(tied, 'model.safetensors'), tensors);
    const cases = [
      ['base', 'int4', 'lm_head'],
      ['tied', 'int8', 'model.embed_tokens'],
    ] as const;
    for (const [name, dtype, path] of cases) {
      const options = { cacheFolder: folder('cache') };
      const model = await withBaseDtype(
        models.machine,
        await openModel(folder(name), causal),
        dtype,
        options,
      );
      expect(model.locate(`${path}.weight`)).toMatchObject({ dtype: 'float32' });
      const { begin, end } = model.locate(`${path}.weight.integers`) as WeightLocation;
      expect(end - begin).toBe(50 * 64);
      model.close();
    }
    const [ours, expected] = [
      await withBaseDtype(models.machine, await openModel(tied, causal), 'int8', {
        cacheFolder: folder('cache'),
      }),
      await openModel(tied, causal),
    ];
    const [logits, exact] = [await nextLogits(ours), await nextLogits(expected)];
    // As above, plus half a step of 1 / 127 for each weight of the output matrix.
    expect(norm(logits.map((logit, i) => logit - exact[i]!)) / norm(exact)).toBeLessThan(0.05);
    for (const opened of [ours, expected]) opened.close();
  });

  it('is made once, and again when the checkpoint changes', async () => {
    const cacheFolder = folder('once');
    const shares: number[] = [];
    const open = async () => {
      const onWritten = (share: number) => shares.push(share);
      const options = { cacheFolder, onWritten };
      (await withBaseDtype(models.machine, await openModel(folder('base'), causal), 'int8', options)).close();
    };
    await open();
    expect(shares.at(-1)).toBe(1);
    const after = shares.length;
    await open();
    expect(shares).toHaveLength(after);
    // A truncated copy, as after a disk failure, is made again.
    const [key] = readdirSync(cacheFolder);
    truncateSync(join(cacheFolder, key!, 'model.safetensors'), 1000);
    await open();
    expect(shares).toHaveLength(2 * after);
    // So is one with a block of zeros, as after a power failure. Its header and size are right.
    shares.length = after;
    const copy = join(cacheFolder, key!, 'model.safetensors');
    const whole = readFileSync(copy);
    writeFileSync(copy, Buffer.from(whole).fill(0, whole.length / 2, whole.length / 2 + 4096));
    await open();
    expect(shares).toHaveLength(2 * after);
    expect(readFileSync(copy).equals(whole)).toBe(true);
    shares.length = after;
    const path = join(folder('base'), 'model.safetensors');
    const { atime, mtime } = statSync(path);
    const bytes = readFileSync(path);
    utimesSync(path, 1, 1);
    await open();
    expect(shares).toHaveLength(after);
    // The new weights have the same name, size and time, as after restoring a backup.
    writeFileSync(path, readFileSync(join(folder('int4'), 'model.safetensors')));
    utimesSync(path, atime, mtime);
    await open();
    expect(shares.length).toBeGreaterThan(after);
    expect(readdirSync(cacheFolder)).toHaveLength(2);
    writeFileSync(path, bytes);
  });

  it('stays if another process has made it too, and is used by both', async () => {
    const cacheFolder = folder('shared');
    const open = (onWritten: () => void) =>
      withBaseDtype(models.machine, openIn(folder('base'), causal), 'int8', { cacheFolder, onWritten });
    const files = () => {
      const key = readdirSync(cacheFolder).find((name) => !isTemporary(name));
      const path = join(cacheFolder, key!, 'model.safetensors');
      return {
        inode: statSync(path, { throwIfNoEntry: false })?.ino,
        count: readdirSync(join(cacheFolder, key!)).length,
      };
    };
    let later: Promise<LoadedModel> | undefined;
    let published: number | undefined;
    // The later process finds no cached copy, and writes its own after the first has published.
    const first = await open(() => {
      later ??= open(() => {
        published ??= files().inode;
      });
    });
    const second = await (later as Promise<LoadedModel>);
    expect(published).toBeDefined();
    expect(files()).toEqual({ inode: published, count: 1 });
    expect((await results(first)).loss).toBe((await results(second)).loss);
    for (const model of [first, second]) model.close();
  });

  it('closes a model that does not support one', async () => {
    const close = vi.fn();
    const none = { ...(await openModel(folder('base'), causal)), linears: [], close };
    const options = { cacheFolder: folder('none') };
    await expect(withBaseDtype(models.machine, none, 'int8', options)).rejects.toThrow(
      'base_dtype int8 cannot hold any linear weight of this llama',
    );
    expect(close).toHaveBeenCalledOnce();
  });

  it('names the folder to set if its own cannot be written', async () => {
    writeFileSync(folder('file'), '');
    const options = { cacheFolder: join(folder('file'), 'cache') };
    await expect(
      withBaseDtype(models.machine, await openModel(folder('base'), causal), 'int8', options),
    ).rejects.toThrow(/\(ENOTDIR\)\. Set ADALORA_CACHE to a writable folder/);
  });

  it('still reads the weights themselves', async () => {
    const model = await withBaseDtype(models.machine, await openModel(folder('base'), causal), 'int4', {
      cacheFolder: folder('cache'),
    });
    const name = 'model.layers.0.self_attn.q_proj.weight';
    const stored = readSafetensors(join(folder('base'), 'model.safetensors')).get(name) as StoredTensor;
    expect(model.readRange(name, 0, 64)).toEqual((stored.data as Float32Array).slice(0, 64));
    model.close();
  });
});

describe('a base of bytes', () => {
  const BERT = {
    model_type: 'bert',
    vocab_size: 50,
    hidden_size: 64,
    intermediate_size: 128,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    max_position_embeddings: 32,
  };
  const OUTLIER = 5;
  const masked = tokenModel('MASKED_LM');
  let root: string;

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'adalora-'));
    writeFileSync(join(root, 'config.json'), JSON.stringify(BERT));
    const tensors = [...describeIn(root, masked).parameters].map(([name, shape]): [string, StoredTensor] => {
      const data = initialize(name, shape, 5, 0.1);
      // One outlier column, as in pretrained encoders.
      if (name.endsWith('attention.output.LayerNorm.weight')) data[OUTLIER] = 12;
      return [name, { dtype: 'F32', shape: [...shape], data }];
    });
    writeSafetensors(join(root, 'model.safetensors'), new Map(tensors));
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it('measures the input columns of its layers, and finds the outlier', async () => {
    const model = await openModel(root, masked);
    const path = 'bert.encoder.layer.0.intermediate.dense';
    const found = await inputMagnitudes(model, nodeEngine(model, 'cpu'), new Set([path]));
    model.close();
    const columns = [...(found.get(path) as Float32Array)];
    expect(columns).toHaveLength(64);
    expect(Math.max(...columns)).toBe(columns[OUTLIER]);
    expect(columns[OUTLIER]).toBeGreaterThan(4 * columns[OUTLIER + 1]!);
  });

  it('is close to the exact result in spite of the outlier', async () => {
    const plain = await openModel(root, masked);
    const bytes = await withBaseDtype(models.machine, await openModel(root, masked), 'int8', {
      cacheFolder: join(root, 'cache'),
    });
    const [expected, ours] = [await results(plain, BERT_SETTINGS), await results(bytes, BERT_SETTINGS)];
    const norm = (values: Float32Array) => Math.hypot(...values);
    const distance = (a: Float32Array, b: Float32Array) => norm(a.map((value, i) => value - b[i]!)) / norm(b);
    // Each product has an error of one or two percent. The total error is 0.024 in the logits and 0.007 in
    // the gradient. Without smoothing, it would be 0.017 in the gradient.
    expect(distance(ours.logits, expected.logits)).toBeLessThan(0.035);
    expect(distance(ours.gradient, expected.gradient)).toBeLessThan(0.012);
    for (const opened of [plain, bytes]) opened.close();
  });
});

it('differs between heads with weights in the checkpoint: after the token head, the text head has its pooler', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'adalora-'));
  writeTinyModel(folder);
  const pooler = 'bert.pooler.dense.weight';
  const hasPooler: boolean[] = [];
  for (const task of ['token_classification', 'single_label_classification'] as const) {
    const options = { cacheFolder: join(folder, 'cache') };
    const model = await withBaseDtype(models.machine, openForTask(folder, task, 2), 'int8', options);
    hasPooler.push(readSafetensors(join(model.weightFolder, 'model.safetensors')).has(pooler));
    model.close();
  }
  rmSync(folder, { recursive: true });
  expect(hasPooler).toEqual([false, true]);
});

function restored(values: Float32Array, bits: 4 | 8): Float32Array {
  const { blocks, scales } = quantizeBlocks(values, bits, BLOCK_SIZE);
  return values.map((_, i) => {
    const integer = bits === 8 ? (blocks[i]! << 24) >> 24 : ((blocks[i >> 1]! >> (4 * (i % 2))) & 15) - 8;
    return integer * scales[Math.floor(i / BLOCK_SIZE)]!;
  });
}
