import { defaultNames } from '../src/methods/tuners/targets/adapted-modules.ts';
import { modelFamily } from '../src/models/registry.ts';
import type { BenchHeadKind } from './bench-head.ts';

/** Methods that peft_step.py supports. */
export const BENCH_METHODS = ['adalora', 'lora', 'svd_lora', 'prune_lora', 'bitfit'] as const;
export type BenchMethod = (typeof BENCH_METHODS)[number];

/**
 * A case to measure: a model with random weights, a batch and a method. The fields are named as in the
 * protocol of step-server.ts.
 */
export interface BenchCase {
  name: string;
  /** The `model_type` of the config.json; `shape` has its other fields. */
  model_type: string;
  shape: Record<string, unknown>;
  method: BenchMethod;
  r: number;
  batch: number;
  length: number;
  dropout: number;
  /** Default: two classes. */
  head?: BenchHeadKind;
  /** The target modules of every method: AdaLoRA's defaults. */
  targets: readonly string[];
}

const bertBase = {
  hidden_size: 768,
  num_hidden_layers: 6,
  num_attention_heads: 12,
  intermediate_size: 3072,
  vocab_size: 30522,
  max_position_embeddings: 512,
};
const miniLm = { ...bertBase, hidden_size: 384, intermediate_size: 1536 };
const debertaV3Base = {
  ...bertBase,
  num_hidden_layers: 12,
  vocab_size: 128100,
  type_vocab_size: 0,
  layer_norm_eps: 1e-7,
  relative_attention: true,
  pos_att_type: 'p2c|c2p',
  share_att_key: true,
  position_buckets: 256,
  norm_rel_ebd: 'layer_norm',
  position_biased_input: false,
};

type Size = Pick<BenchCase, 'name' | 'model_type' | 'shape' | 'batch' | 'length' | 'head'>;

/** Vision transformers for pictures of 224 x 224. */
const vit = { hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, image_size: 224 };
const PICTURE_TARGETS = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'fc1', 'fc2'];

const sizes: (Size & { methods: BenchMethod[]; targets?: readonly string[] })[] = [
  {
    name: 'BERT-base x 6, 16 x 128',
    model_type: 'bert',
    shape: bertBase,
    batch: 16,
    length: 128,
    methods: ['adalora', 'lora'],
  },
  {
    name: 'MiniLM, 32 x 32',
    model_type: 'bert',
    shape: miniLm,
    batch: 32,
    length: 32,
    methods: ['adalora', 'lora'],
  },
  {
    name: 'MiniLM, 32 x 64',
    model_type: 'bert',
    shape: miniLm,
    batch: 32,
    length: 64,
    methods: ['adalora', 'lora'],
  },
  // Heads that read every token.
  {
    name: 'MiniLM, questions, 16 x 384',
    model_type: 'bert',
    shape: miniLm,
    batch: 16,
    length: 384,
    head: 'QUESTION_ANS',
    methods: ['adalora'],
  },
  {
    name: 'MiniLM, nine tags, 32 x 64',
    model_type: 'bert',
    shape: miniLm,
    batch: 32,
    length: 64,
    head: 'TOKEN_CLS',
    methods: ['adalora'],
  },
  {
    name: 'DeBERTaV3-base, 32 x 64',
    model_type: 'deberta-v2',
    shape: debertaV3Base,
    batch: 32,
    length: 64,
    // Only AdaLoRA is measured here, because every process takes gigabytes.
    methods: ['adalora'],
  },
  {
    name: 'DINOv2-small, 224 x 224',
    model_type: 'dinov2',
    shape: { ...vit, hidden_size: 384, num_attention_heads: 6, mlp_ratio: 4, patch_size: 14 },
    batch: 16,
    // The class token and the patches.
    length: 257,
    methods: ['adalora'],
    targets: PICTURE_TARGETS,
  },
  {
    name: 'ViT-base, 224 x 224',
    model_type: 'vit',
    shape: { ...vit, intermediate_size: 3072, patch_size: 16 },
    batch: 16,
    length: 197,
    methods: ['adalora'],
    targets: PICTURE_TARGETS,
  },
];

/**
 * All cases: every size with each of its methods, with rank 12 on the six matrices.
 *
 * @param batch number of rows, if other than the size's
 */
export function benchCases(dropout: number, batch?: number): BenchCase[][] {
  return sizes.map(({ methods, targets: named, ...size }) => {
    const targets = named ?? defaultNames(modelFamily(size, size.name), 'many');
    return methods.map((method) => ({
      ...size,
      ...(batch !== undefined && { batch }),
      method,
      r: 12,
      dropout,
      targets,
    }));
  });
}
