import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cpu } from '../../../../tests/support/backends.ts';
import { dropoutSites } from '../../../../tests/support/dropout-sites.ts';
import { input } from '../../../engine/graph/build.ts';
import { addDimensions } from '../../../engine/graph/dimension.ts';
import { Graph } from '../../../engine/graph/graph.ts';
import { lower } from '../../../engine/onnx/lower.ts';
import type { HostTensor, Session } from '../../../engine/runtime/session.ts';
import { modelFeeds } from '../../../program/objectives/model-inputs.ts';
import { spanModel } from '../../../program/objectives/span-model.ts';
import { tokenModel } from '../../../program/objectives/token-model.ts';
import { elementCount } from '../../../support/arrays.ts';
import { Random } from '../../../support/random.ts';
import { bindCheckpoint } from '../../bind-checkpoint.ts';
import type { HeadKind } from '../../heads/registry.ts';
import { KeyValueCache, PAST, PRESENT } from '../../nn/key-value-cache.ts';
import { Network } from '../../nn/network.ts';
import { modelFamily } from '../../registry.ts';
import { llama } from './definition.ts';

const CONFIG = {
  vocab_size: 50,
  hidden_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 6,
  intermediate_size: 20,
};

/** A config of each family. Windows and rotary scaling depend on a token's position. */
const CONFIGS = {
  llama: { rope_scaling: { type: 'yarn', factor: 4, original_max_position_embeddings: 4 } },
  mistral: { sliding_window: 3 },
  qwen2: { use_sliding_window: true, sliding_window: 3, max_window_layers: 1 },
  qwen3: { attention_bias: true },
  olmo2: {},
  gemma2: { sliding_window: 2 },
  gemma3_text: { sliding_window: 2, sliding_window_pattern: 2 },
  gpt_neox: { head_dim: 6, num_key_value_heads: 4, rotary_pct: 0.34, use_parallel_residual: true },
  smollm3: { no_rope_layer_interval: 2, use_sliding_window: true, sliding_window: 3 },
  phi3: { partial_rotary_factor: 0.34, sliding_window: 4, tie_word_embeddings: true },
};

/** Rounding errors in logits of a few units, after a few layers. */
const TOLERANCE = 2e-5;
const TOKENS = [7, 31, 12, 44, 9, 23, 18];

/** A decoder with random weights. It reads rows of tokens after the cached ones. */
class Reader {
  #past: Record<string, HostTensor> = {};

  private constructor(
    readonly session: Session,
    readonly cache: KeyValueCache,
  ) {}

  static async open(modelType: string, settings: object): Promise<Reader> {
    const json = { model_type: modelType, ...CONFIG, ...settings };
    const family = modelFamily(json, 'config.json');
    const model = tokenModel('CAUSAL_LM')(family, family.parseConfig(json, 'config.json'));
    const graph = new Graph();
    let cache = new KeyValueCache(graph, 1);
    const logits = model.buildLogits(new Network(graph), ({ batch, sequence }) => {
      cache = new KeyValueCache(graph, batch);
      const keys = addDimensions(cache.past, sequence);
      return { cache, attentionMask: input(graph, 'attention_mask', 'int32', [batch, keys]) };
    });
    const locate = (name: string) => {
      const shape = model.parameters.get(name) as readonly number[];
      return { data: new Random(1, name).normals(elementCount(shape), 0.5) };
    };
    const outputs = { logits, ...cache.outputs };
    return new Reader(await cpu.open(lower(outputs, { target: 'cpu', locate })), cache);
  }

  /** Logits of every token of one row. `documents` and `positions` include the tokens read before. */
  async read(tokens: number[], positions: number[], documents: number[]): Promise<number[][]> {
    const length = tokens.length;
    const feeds = modelFeeds({
      inputIds: Int32Array.from(tokens),
      positionIds: Int32Array.from(positions),
      tokenTypeIds: new Int32Array(length),
      attentionMask: Int32Array.from(documents),
      batch: 1,
      length,
    });
    const attention_mask = { data: Int32Array.from(documents), dims: [1, documents.length] };
    const { logits, ...present } = await this.session.run({ ...feeds, ...this.#past, attention_mask });
    for (const { name, width } of this.cache.entries) {
      const data = [this.#past[PAST + name]!, present[PRESENT + name]!].flatMap((read) => [...read.data]);
      this.#past[PAST + name] = { data: Float32Array.from(data), dims: [data.length / width, 1, width] };
    }
    return rowsOf(logits!);
  }

  forget(): void {
    for (const { name, width } of this.cache.entries)
      this.#past[PAST + name] = { data: new Float32Array(0), dims: [0, 1, width] };
  }
}

function rowsOf({ data, dims: [count, width] }: HostTensor): number[][] {
  return Array.from({ length: count! }, (_, i) => [...data.subarray(i * width!, (i + 1) * width!)]);
}

function largestDifference(a: number[][], b: number[][]): number {
  return Math.max(...a.flatMap((row, i) => row.map((value, j) => Math.abs(value - b[i]![j]!))));
}

const counted = (length: number, from = 0) => Array.from({ length }, (_, i) => from + i);
const ones = (length: number) => new Array<number>(length).fill(1);

describe.each(Object.entries(CONFIGS))('%s', (modelType, settings) => {
  let reader: Reader;
  let whole: number[][];

  beforeAll(async () => {
    reader = await Reader.open(modelType, settings);
    reader.forget();
    whole = await reader.read(TOKENS, counted(TOKENS.length), ones(TOKENS.length));
  });
  afterAll(() => reader.session.release());

  it('reads token by token as all at once', async () => {
    reader.forget();
    const rows: number[][] = [];
    for (const [i, token] of TOKENS.entries()) rows.push(...(await reader.read([token], [i], ones(i + 1))));
    expect(largestDifference(rows, whole)).toBeLessThan(TOLERANCE);
  });

  it('continues a prompt, several tokens at a time', async () => {
    reader.forget();
    const first = await reader.read(TOKENS.slice(0, 3), counted(3), ones(3));
    const rest = await reader.read(TOKENS.slice(3), counted(TOKENS.length - 3, 3), ones(TOKENS.length));
    expect(largestDifference([...first, ...rest], whole)).toBeLessThan(TOLERANCE);
  });

  it('reads packed documents as each alone', async () => {
    const other = [3, 40, 29, 5];
    reader.forget();
    const alone = await reader.read(other, counted(4), ones(4));
    reader.forget();
    const documents = [...TOKENS.map(() => 1), ...other.map(() => 2), 0];
    const positions = [...counted(TOKENS.length), ...counted(4), 0];
    const packed = await reader.read([...TOKENS, ...other, 0], positions, documents);
    expect(largestDifference(packed.slice(0, -1), [...whole, ...alone])).toBeLessThan(TOLERANCE);
  });

  it('reads after padding as without', async () => {
    reader.forget();
    const padded = await reader.read(
      [0, 0, ...TOKENS],
      [0, 0, ...counted(TOKENS.length)],
      [0, 0, ...ones(TOKENS.length)],
    );
    expect(largestDifference(padded.slice(2), whole)).toBeLessThan(TOLERANCE);
  });
});

const THREE_LAYERS = {
  model_type: 'llama',
  vocab_size: 9,
  hidden_size: 8,
  num_hidden_layers: 3,
  num_attention_heads: 2,
  intermediate_size: 8,
};
const parse = (fields: object = {}) => llama.parseConfig({ ...THREE_LAYERS, ...fields }, 'config.json');

it.each<[HeadKind, Record<number, number>]>([
  ['CAUSAL_LM', { 0.1: 3 }],
  ['SEQ_CLS', { 0.1: 3 }],
  ['TOKEN_CLS', { 0.1: 3, 0.2: 1 }],
  ['QUESTION_ANS', { 0.1: 3 }],
])("dropout of %s is at transformers' sites", (head, expected) => {
  const probabilities = { attention_dropout: 0.1, classifier_dropout: 0.2 };
  expect(dropoutSites({ ...THREE_LAYERS, ...probabilities }, head)).toEqual(expected);
});

it('a question answering head finds the base model of a language model below it, which has another prefix', () => {
  const span = spanModel(llama, parse());
  const { parameters: stored } = tokenModel('CAUSAL_LM')(llama, parse());
  const source = {
    names: () => [...stored.keys()],
    info: (name: string) => ({
      dtype: 'F32',
      shape: stored.get(name) ?? [],
      file: 'model.safetensors',
      begin: 0,
      end: 0,
    }),
  };
  const bound = bindCheckpoint(span.parameters, source, {
    where: 'folder',
    baseModelPrefixes: [llama.baseModelPrefix, span.head.baseModelPrefix ?? []].flat(),
    mayInitialize: (name) => name.startsWith('qa_outputs.'),
  });
  const base = [...span.parameters.keys()].filter((name) => !name.startsWith('qa_outputs.'));
  expect(bound).toEqual(new Map(base.map((name) => [name, name.replace('transformer.', 'model.')])));
});

it('a decoder has one parameter for tied embeddings', () => {
  const names = (fields: object) => [...tokenModel('CAUSAL_LM')(llama, parse(fields)).parameters.keys()];
  expect(names({ tie_word_embeddings: true })).not.toContain('lm_head.weight');
  expect(names({})).toContain('lm_head.weight');
});
