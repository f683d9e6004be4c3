import { expect, it } from 'vitest';
import { input } from '../src/engine/graph/build.ts';
import { addDimensions } from '../src/engine/graph/dimension.ts';
import { Graph, type Value } from '../src/engine/graph/graph.ts';
import { lower } from '../src/engine/onnx/lower.ts';
import type { Session, Tensors } from '../src/engine/runtime/session.ts';
import { bart } from '../src/models/families/bart/definition.ts';
import { gpt2 } from '../src/models/families/gpt2/definition.ts';
import type { HeadKind } from '../src/models/heads/registry.ts';
import type { ModelDefinition, ModelInputs } from '../src/models/model-definition.ts';
import { KeyValueCache, PAST, PRESENT } from '../src/models/nn/key-value-cache.ts';
import { Network } from '../src/models/nn/network.ts';
import type { TaskModel } from '../src/program/objectives/task-model.ts';
import { tokenModel } from '../src/program/objectives/token-model.ts';
import { Random } from '../src/support/random.ts';
import { cpu } from './support/backends.ts';

/*
 * A decoder that reads a text in pieces, with the cached keys and values of earlier pieces, gives the same logits as
 * for the whole text.
 */

const [BATCH, VOCABULARY] = [2, 11];
/** Tokens of each piece: several after none, one, several after others. */
const PIECES = [3, 1, 2];
const TOKENS = 6;
/** float32 sums in another order. */
const DIGITS = 5;

const random = new Random(1, 'tokens');
const rowOfTokens = () => Array.from({ length: BATCH }, () => random.integer(VOCABULARY));
/** [tokens, batch] */
const text = Array.from({ length: TOKENS }, rowOfTokens);
const source = Array.from({ length: 4 }, rowOfTokens);

function model(definition: ModelDefinition, head: HeadKind, config: object): TaskModel {
  return tokenModel(head)(definition, definition.parseConfig({ vocab_size: VOCABULARY, ...config }, 'test'));
}

/** Opens the graph of a model's logits, with a cache's outputs; `changed` makes the model's inputs. */
async function open(
  { buildLogits, parameters, buffers }: TaskModel,
  changed: (inputs: ModelInputs) => Partial<ModelInputs> & { cache?: KeyValueCache },
): Promise<{ session: Session; cache?: KeyValueCache }> {
  let cache: KeyValueCache | undefined;
  const logits = buildLogits(new Network(new Graph()), (inputs) => {
    const change = changed(inputs);
    cache = change.cache;
    return change;
  });
  const locate = (name: string) => {
    const size = (parameters.get(name) ?? buffers.get(name) ?? []).reduce((a, b) => a * b, 1);
    return { data: new Random(2, name).normals(size, 0.5) };
  };
  const outputs: Record<string, Value> = { logits, ...cache?.outputs };
  return { session: await cpu.open(lower(outputs, { target: 'cpu', locate })), cache };
}

const matrix = (rows: readonly (readonly number[])[]) => ({
  data: Int32Array.from(rows.flat()),
  dims: [rows.length, rows[0]!.length],
});

/** The content of a cache before a text begins. */
function nothing({ entries }: KeyValueCache): Tensors {
  return Object.fromEntries(
    entries.map(({ name, width }) => [PAST + name, { data: new Float32Array(0), dims: [0, BATCH, width] }]),
  );
}

/** Appends the new entries of a call to the past, as the past of the next call. */
function handedOn({ entries }: KeyValueCache, past: Tensors, outputs: Tensors): Tensors {
  return Object.fromEntries(
    entries.map(({ name, width }) => {
      const data = [past[PAST + name]!, outputs[PRESENT + name]!].flatMap((read) => [...read.data]);
      const dims = [data.length / BATCH / width, BATCH, width];
      return [PAST + name, { data: Float32Array.from(data), dims }];
    }),
  );
}

it('GPT-2 continues from its cache, also with padding on the left', async () => {
  const config = { n_embd: 12, n_head: 3, n_layer: 2, n_positions: TOKENS };
  const gpt = model(gpt2, 'CAUSAL_LM', config);
  /** [batch, tokens]; the second text begins with its third token. */
  const masks = [
    [1, 1, 1, 1, 1, 1],
    [0, 0, 1, 1, 1, 1],
  ];
  const positions = text.map((_, i) => [i, Math.max(0, i - 2)]);
  const whole = await open(gpt, () => ({}));
  const expected = await whole.session.run({
    input_ids: matrix(text),
    position_ids: matrix(positions),
    attention_mask: matrix(masks),
  });

  const { session, cache } = await open(gpt, ({ inputIds, batch, sequence }) => {
    const { graph } = inputIds.node;
    const made = new KeyValueCache(graph, batch);
    const keys = addDimensions(made.past, sequence);
    return { cache: made, attentionMask: input(graph, 'attention_mask', 'int32', [batch, keys]) };
  });
  let past = nothing(cache!);
  let read = 0;
  for (const count of PIECES) {
    const end = read + count;
    const outputs = await session.run({
      input_ids: matrix(text.slice(read, end)),
      position_ids: matrix(positions.slice(read, end)),
      attention_mask: matrix(masks.map((mask) => mask.slice(0, end))),
      ...past,
    });
    for (let token = read; token < end; token++) {
      for (let example = 0; example < BATCH; example++) {
        if (masks[example]![token] === 0) continue;
        expectSameRow(
          outputs.logits!.data,
          (token - read) * BATCH + example,
          expected.logits!.data,
          token * BATCH + example,
        );
      }
    }
    past = handedOn(cache!, past, outputs);
    read = end;
  }
  await session.release();
  await whole.session.release();
});

it('BART continues from its cache, and reads its source once', async () => {
  const config = {
    d_model: 12,
    encoder_attention_heads: 2,
    decoder_attention_heads: 3,
    encoder_layers: 1,
    decoder_layers: 2,
    encoder_ffn_dim: 10,
    decoder_ffn_dim: 14,
    max_position_embeddings: TOKENS,
  };
  const seq2seq = model(bart, 'SEQ_2_SEQ_LM', config);
  const attention_mask = matrix([
    [1, 1, 1, 1],
    [1, 1, 0, 0],
  ]);
  const whole = await open(seq2seq, () => ({}));
  const expected = await whole.session.run({
    input_ids: matrix(source),
    attention_mask,
    decoder_input_ids: matrix(text),
  });

  const phase = (name: 'encode' | 'decode') =>
    open(seq2seq, ({ inputIds, batch }) => ({ cache: new KeyValueCache(inputIds.node.graph, batch, name) }));
  const [encode, decode] = [await phase('encode'), await phase('decode')];
  let past = nothing(encode.cache!);
  let encoded: Tensors = {};
  let read = 0;
  for (const count of PIECES) {
    const { session } = read === 0 ? encode : decode;
    const outputs = await session.run({
      ...(read === 0 && { input_ids: matrix(source) }),
      attention_mask,
      decoder_input_ids: matrix(text.slice(read, read + count)),
      ...past,
      ...encoded,
    });
    for (let row = 0; row < count * BATCH; row++)
      expectSameRow(outputs.logits!.data, row, expected.logits!.data, read * BATCH + row);
    past = handedOn(encode.cache!, past, outputs);
    if (read === 0) {
      const kept = encode.cache!.encoded.map(({ name }) => [PAST + name, outputs[PRESENT + name]]);
      encoded = Object.fromEntries(kept);
    }
    read += count;
  }
  for (const { session } of [encode, decode, whole]) await session.release();
});

function expectSameRow(
  actual: ArrayLike<number>,
  row: number,
  expected: ArrayLike<number>,
  expectedRow: number,
): void {
  for (let word = 0; word < VOCABULARY; word++)
    expect(actual[row * VOCABULARY + word]).toBeCloseTo(expected[expectedRow * VOCABULARY + word]!, DIGITS);
}
