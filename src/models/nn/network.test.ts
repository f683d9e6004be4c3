import { describe, expect, it } from 'vitest';
import { add, input, multiply } from '../../engine/graph/build.ts';
import { symbol } from '../../engine/graph/dimension.ts';
import { Graph, type Value } from '../../engine/graph/graph.ts';
import { reachable } from '../../engine/graph/print.ts';
import { modelFamily, modelTypes } from '../registry.ts';
import type { FrozenBase } from './base/frozen-base.ts';
import { type Injection, Network, type Sublayer, type SublayerEnd } from './network.ts';

function network() {
  const graph = new Graph();
  return { graph, network: new Network(graph), x: input(graph, 'x', 'float32', [2, 4]) };
}

describe('a part of a network', () => {
  it('takes paths below its own, and records in the whole network', () => {
    const { network: whole, x } = network();
    const layer = whole.at('encoder').at('layer.0');
    layer.linear('dense', x, 3);
    layer.at('conv').parameter('weight', [2, 2]);
    layer.buffer('table', [5]);
    layer.layerInput(x);
    expect(layer.path).toBe('encoder.layer.0');
    expect([...whole.parameters.keys()]).toEqual([
      'encoder.layer.0.dense.weight',
      'encoder.layer.0.dense.bias',
      'encoder.layer.0.conv.weight',
    ]);
    expect([...whole.linears.values()]).toEqual([
      { path: 'encoder.layer.0.dense', inFeatures: 4, outFeatures: 3 },
    ]);
    expect([...whole.buffers.keys()]).toEqual(['encoder.layer.0.table']);
    expect(whole.layerInputs).toEqual([x]);
  });

  it('passes full paths to the injection and the frozen base', () => {
    const { graph, x } = network();
    const asked: string[] = [];
    const injection: Injection = {
      parameter(name) {
        asked.push(`parameter ${name}`);
        return undefined;
      },
      increments(paths) {
        asked.push(`increments ${paths}`);
        return [];
      },
    };
    const product = input(graph, 'product', 'float32', [2, 3]);
    const base: FrozenBase = {
      paths: new Set(['layer.dense']),
      packing: 'never',
      product(path) {
        asked.push(`base ${path}`);
        return product;
      },
    };
    const layer = new Network(graph, { injection }).with({ base }).at('layer');
    expect(layer.linear('dense', x, 3, { bias: false })).toBe(product);
    expect(asked).toEqual(['parameter layer.dense.weight', 'base layer.dense', 'increments layer.dense']);
  });
});

/** Encoder and decoder have one layer each, of width 8. */
const CONFIG = {
  vocab_size: 11,
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 12,
  vision_config: { hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 12 },
  max_position_embeddings: 16,
  encoder_ffn_dim: 12,
  decoder_ffn_dim: 12,
  decoder_layers: 1,
  decoder_attention_heads: 2,
  head_dim: 4,
  num_key_value_heads: 2,
  hidden_dim: 12,
  rotary_pct: 1,
};

/** The sublayers of BERT and related families. */
const encoder = (prefix: string) => [
  `${prefix}.encoder.layer.0.attention.output attention`,
  `${prefix}.encoder.layer.0.output feedForward`,
];
const decoder = ['model.layers.0.self_attn attention', 'model.layers.0.mlp feedForward'];

const vision = (layer: string, attention: string, feedForward: string) => [
  `${layer}.${attention} attention`,
  `${layer}.${feedForward} feedForward`,
];

const encoderDecoder = [
  // The decoder requests the encoder's output only when its cross-attention needs it.
  'model.decoder.layers.0.self_attn attention',
  'model.encoder.layers.0.self_attn attention',
  'model.encoder.layers.0.fc2 feedForward',
  'model.decoder.layers.0.encoder_attn crossAttention',
  'model.decoder.layers.0.fc2 feedForward',
];

type Norm = 'of the sum' | 'before the sum' | 'none';

/**
 * The sublayers of each family, and the position of its norms. Sublayers are where AdapterHub places
 * `mh_adapter`, `cross_adapter` and `output_adapter`. AdapterHub lacks OLMo 2, MPNet, ModernBERT, Phi-3,
 * Gemma 3 and SmolLM3.
 */
const FAMILIES: Record<string, { norm: Norm; sublayers: string[] }> = {
  bert: { norm: 'of the sum', sublayers: encoder('bert') },
  roberta: { norm: 'of the sum', sublayers: encoder('roberta') },
  'xlm-roberta': { norm: 'of the sum', sublayers: encoder('roberta') },
  electra: { norm: 'of the sum', sublayers: encoder('electra') },
  modernbert: {
    norm: 'none',
    sublayers: ['model.layers.0.attn attention', 'model.layers.0.mlp feedForward'],
  },
  albert: {
    norm: 'of the sum',
    sublayers: ['attention attention', 'ffn_output feedForward'].map(
      (name) => `albert.encoder.albert_layer_groups.0.albert_layers.0.${name}`,
    ),
  },
  mpnet: {
    norm: 'of the sum',
    sublayers: ['mpnet.encoder.layer.0.attention attention', 'mpnet.encoder.layer.0.output feedForward'],
  },
  'deberta-v2': { norm: 'of the sum', sublayers: encoder('deberta') },
  distilbert: {
    norm: 'of the sum',
    sublayers: [
      'distilbert.transformer.layer.0.attention attention',
      'distilbert.transformer.layer.0.ffn feedForward',
    ],
  },
  bart: { norm: 'of the sum', sublayers: encoderDecoder },
  t5: {
    norm: 'none',
    sublayers: [
      'decoder.block.0.layer.0.SelfAttention attention',
      'encoder.block.0.layer.0.SelfAttention attention',
      'encoder.block.0.layer.1.DenseReluDense feedForward',
      'decoder.block.0.layer.1.EncDecAttention crossAttention',
      'decoder.block.0.layer.2.DenseReluDense feedForward',
    ],
  },
  gpt2: { norm: 'none', sublayers: ['transformer.h.0.attn attention', 'transformer.h.0.mlp feedForward'] },
  llama: { norm: 'none', sublayers: decoder },
  mistral: { norm: 'none', sublayers: decoder },
  qwen2: { norm: 'none', sublayers: decoder },
  qwen3: { norm: 'none', sublayers: decoder },
  gemma2: { norm: 'before the sum', sublayers: decoder },
  gemma3_text: { norm: 'before the sum', sublayers: decoder },
  smollm3: { norm: 'none', sublayers: decoder },
  phi3: { norm: 'none', sublayers: decoder },
  gpt_neox: {
    norm: 'none',
    sublayers: ['gpt_neox.layers.0.attention attention', 'gpt_neox.layers.0.mlp feedForward'],
  },
  olmo2: { norm: 'before the sum', sublayers: decoder },
  vit: { norm: 'none', sublayers: vision('vit.layers.0', 'attention', 'mlp') },
  deit: { norm: 'none', sublayers: vision('deit.layers.0', 'attention', 'mlp') },
  // A layer scale belongs to the sublayer's output.
  dinov2: { norm: 'none', sublayers: vision('dinov2.encoder.layer.0', 'layer_scale1', 'layer_scale2') },
  dinov2_with_registers: {
    norm: 'none',
    sublayers: vision('dinov2_with_registers.encoder.layer.0', 'layer_scale1', 'layer_scale2'),
  },
  ...Object.fromEntries(
    ['clip', 'clip_vision_model', 'siglip', 'siglip_vision_model'].map((name) => [
      name,
      { norm: 'none' as const, sublayers: vision('vision_model.encoder.layers.0', 'self_attn', 'mlp') },
    ]),
  ),
  whisper: { norm: 'none', sublayers: encoderDecoder },
};

/** Builds a model of a family with the family's first head. Returns its network and logits. */
function build(model_type: string, injection?: Injection) {
  const json = { model_type, ...CONFIG };
  const family = modelFamily(json, 'config.json');
  const graph = new Graph();
  const [batch, sequence, target] = [symbol('batch'), symbol('sequence'), symbol('target')];
  const ids = (name: string, length = sequence) => input(graph, name, 'int32', [length, batch]);
  const network = new Network(graph, { training: true, injection });
  const [head] = Object.values(family.heads);
  const config = family.parseConfig(json, 'config.json');
  const { shape } = config.content ?? { shape: [3, 224, 224] };
  const logits = head!.build(network, config, {
    inputIds: ids('input_ids'),
    tokenTypeIds: ids('token_type_ids'),
    positionIds: ids('position_ids'),
    attentionMask: input(graph, 'attention_mask', 'int32', [batch, sequence]),
    decoderInputIds: ids('decoder_input_ids', target),
    content: input(graph, 'pixel_values', 'float32', [batch, ...shape]),
    batch,
    sequence,
    target,
  });
  return { network, logits };
}

/** An injection with the same function for every sublayer. */
function atSublayers(sublayer: Required<Injection>['sublayer']): Injection {
  return { parameter: () => undefined, increments: () => [], sublayer };
}

function usersOf(value: Value, logits: Value) {
  return reachable([logits]).filter(({ inputs }) => inputs.includes(value));
}

describe.each(modelTypes())('%s', (modelType) => {
  it('has a sublayer after each attention and feed-forward network', () => {
    const { network } = build(modelType);
    const listed = [...network.sublayers.values()].map(({ path, kind }) => `${path} ${kind}`);
    expect(listed).toEqual(FAMILIES[modelType]!.sublayers);
    expect([...network.sublayers.keys()]).toEqual([...network.sublayers.values()].map(({ path }) => path));
    expect([...network.sublayers.values()].map(({ width }) => width)).toEqual(listed.map(() => 8));
  });

  it('passes a tuner the residual and the norm of its own graph', () => {
    const { norm } = FAMILIES[modelType]!;
    const seen: { h: Value; end: SublayerEnd }[] = [];
    const look = atSublayers((_, h, end) => {
      seen.push({ h, end });
      return undefined;
    });
    const { logits } = build(modelType, look);
    expect(seen.length).toBe(FAMILIES[modelType]!.sublayers.length);
    const nodes = new Set(reachable([logits]));
    for (const { h, end } of seen) {
      expect(end.norm === undefined).toBe(norm === 'none');
      const first = norm === 'before the sum' ? (end.norm as (x: Value) => Value)(h) : h;
      // In a graph, equal applications share a node. So a sum built here is the model's own node, if its
      // operands have the same order.
      const sums = [add(first, end.residual), add(end.residual, first)].filter(({ node }) => nodes.has(node));
      expect(sums.length).toBe(1);
      if (norm === 'of the sum') expect(nodes).toContain(end.norm?.(sums[0]!).node);
    }
  });

  it("continues only with the tuner's result for the output", () => {
    const seen: { sublayer: Sublayer; h: Value; made: Value; end: SublayerEnd }[] = [];
    const triple = atSublayers((sublayer, h, end) => {
      const made = multiply(h, 3);
      seen.push({ sublayer, h, made, end });
      return made;
    });
    const { logits } = build(modelType, triple);
    for (const { h, made, end } of seen) {
      expect(usersOf(h, logits)).toEqual([made.node]);
      const [first] = usersOf(made, logits);
      if (FAMILIES[modelType]!.norm === 'before the sum') expect(first!.op).toBe('rmsNorm');
      else expect(new Set(first!.inputs)).toEqual(new Set([made, end.residual]));
    }
    expect(seen.map(({ sublayer }) => `${sublayer.path} ${sublayer.kind}`)).toEqual(
      FAMILIES[modelType]!.sublayers,
    );
  });
});

it('dropout comes before an adapter', () => {
  const { logits, network } = build(
    'bert',
    atSublayers((_, h) => multiply(h, 3)),
  );
  const factors = reachable([logits]).filter(
    ({ op, inputs }) => op === 'multiply' && inputs.some(({ node }) => node.op === 'constant'),
  );
  expect(factors.length).toBe(network.sublayers.size);
  for (const { inputs } of factors) {
    const [x, mask] = inputs[0].node.inputs;
    expect([x.node.op, mask.node.op]).toEqual(['add', 'input']);
  }
});
