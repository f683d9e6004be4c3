import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import type { HostTensor, Tensors } from '../../src/engine/runtime/session.ts';
import type { StoredTensor } from '../../src/input/formats/tensor-data.ts';
import type { Batch } from '../../src/input/text/batches.ts';
import { HEAD_KINDS, type HeadKind } from '../../src/models/heads/registry.ts';
import { modelTypes } from '../../src/models/registry.ts';
import { labeledRows } from '../../src/program/objectives/labeled-rows.ts';
import { modelFeeds } from '../../src/program/objectives/model-inputs.ts';
import { shiftRight } from '../../src/program/objectives/sequence-loss.ts';
import type { TaskModel } from '../../src/program/objectives/task-model.ts';

/** Thrown for a case that needs an unsupported feature. */
export class Skipped extends Error {}

export type StoredTensors = ReadonlyMap<string, StoredTensor>;

const kind = { model_type: z.string(), task_type: z.string() };

export const modelCaseSchema = z.object(kind);

/**
 * The settings of a trajectory. Unknown keys are errors, because ignoring one would make the comparison
 * meaningless.
 */
export const trajectorySchema = z.object({
  ...kind,
  tuner: z.looseObject({ kind: z.string(), modules_to_save: z.array(z.string()).nullish() }),
  /** Tensors with values that are only rounding errors. They are not compared. */
  undetermined: z.array(z.string()).optional(),
  training: z.strictObject({
    steps: z.int().min(1),
    lr: z.number(),
    weight_decay: z.number(),
    warmup: z.int().optional(),
    clip: z.number().optional(),
    /** The type of the frozen linear weights. Default: float32. */
    base_dtype: z.enum(['int4']).optional(),
  }),
  steps: z.array(
    z.object({
      step: z.int().min(1),
      loss: z.number(),
      objective: z.number(),
      lr: z.number(),
      grad_norm: z.number().optional(),
      budget: z.number().optional(),
      ranks: z.record(z.string(), z.number()).optional(),
    }),
  ),
});

export type Trajectory = z.infer<typeof trajectorySchema>;

/**
 * @throws Skipped for an unsupported model type or head
 */
export function readDescription<T extends { model_type: string; task_type: string }>(
  schema: z.ZodType<T>,
  path: string,
): T {
  const parsed = schema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success)
    throw new Error(`${basename(path)}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`);
  const { model_type, task_type } = parsed.data;
  if (!modelTypes().includes(model_type)) throw new Skipped(`no model type ${model_type}`);
  if (!HEAD_KINDS.includes(task_type as HeadKind)) throw new Skipped(`no head for ${task_type}`);
  return parsed.data;
}

/** The tensors whose names begin with `prefix`. The prefix is removed from the names. */
export function withPrefix(tensors: StoredTensors, prefix: string): StoredTensors {
  return new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
}

/**
 * The inputs of a model. As in transformers, a missing mask means no padding, and missing token types mean
 * one segment.
 */
export function batchOf(tensors: StoredTensors): Batch {
  const content = contentIn(tensors);
  if (content) return filesOf(content.tensor.shape[0]!);
  const inputIds = hostTensor(named(tensors, 'input_ids'));
  const [batch, length] = inputIds.dims as [number, number];
  const integers = (name: string, fallback: number) => {
    const tensor = tensors.get(name);
    return (tensor ? hostTensor(tensor).data : new Int32Array(batch * length).fill(fallback)) as Int32Array;
  };
  return {
    inputIds: inputIds.data as Int32Array,
    attentionMask: integers('attention_mask', 1),
    tokenTypeIds: integers('token_type_ids', 0),
    batch,
    length,
  };
}

/** The input for files of a medium in a recorded batch. */
function contentIn(tensors: StoredTensors) {
  const name = ['pixel_values', 'input_features'].find((one) => tensors.has(one));
  return name === undefined ? undefined : { name, tensor: named(tensors, name) };
}

/** A batch of files as one token each, because none is padding. */
function filesOf(batch: number): Batch {
  const ones = new Int32Array(batch).fill(1);
  return { inputIds: ones, attentionMask: ones, tokenTypeIds: new Int32Array(batch), batch, length: 1 };
}

/** The inputs of a model and its loss from a recorded batch. */
export function feedsOf({ headKind, config }: TaskModel, tensors: StoredTensors): Tensors {
  const content = contentIn(tensors);
  if (content && headKind === 'SEQ_CLS') return taken(tensors, content.name, 'labels');
  const batch = batchOf(tensors);
  switch (headKind) {
    case 'SEQ_CLS':
      return { ...modelFeeds(batch), ...taken(tensors, 'labels') };
    case 'QUESTION_ANS':
      return { ...modelFeeds(batch), ...taken(tensors, 'start_positions', 'end_positions') };
  }
  if (!tensors.has('labels')) return modelFeeds(batch);
  const { data, dims } = hostTensor(named(tensors, 'labels'));
  const labels = data as Int32Array;
  const [rows, length] = dims as [number, number];
  const { padTokenId = 0, decoderStartTokenId = 0 } = config;
  const decoder = { inputIds: shiftRight(labels, length, { padTokenId, decoderStartTokenId }), length };
  return {
    ...modelFeeds({ ...batch, ...(headKind === 'SEQ_2_SEQ_LM' && { decoder }) }),
    ...(content && taken(tensors, content.name)),
    ...labeledRows(labels, rows, length, headKind === 'CAUSAL_LM'),
  };
}

function taken(tensors: StoredTensors, ...names: string[]): Tensors {
  return Object.fromEntries(names.map((name) => [name, hostTensor(named(tensors, name))]));
}

/**
 * Recorded logits in the layout of our heads, where starts and ends are one tensor.
 *
 * @param prefix prefix of the recorded names
 */
export function logitsOf(tensors: StoredTensors, prefix = ''): Float32Array {
  if (tensors.has(`${prefix}logits`)) return floats(named(tensors, `${prefix}logits`));
  const parts = ['start', 'end'].map((part) => floats(named(tensors, `${prefix}${part}_logits`)));
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

/**
 * @throws Error that names a missing tensor
 */
export function named(tensors: StoredTensors, name: string): StoredTensor {
  const tensor = tensors.get(name);
  if (tensor) return tensor;
  throw new Error(`no tensor ${name}`);
}

/** The values of an f32 tensor. */
export function floats(tensor: StoredTensor): Float32Array {
  if (tensor.data instanceof Float32Array) return tensor.data;
  throw new Error(`expected a tensor of F32, got ${tensor.dtype}`);
}

function hostTensor({ data, shape }: StoredTensor): HostTensor {
  if (data instanceof BigInt64Array) return { data: Int32Array.from(data, Number), dims: shape };
  if (data instanceof Float32Array || data instanceof Int32Array) return { data, dims: shape };
  throw new Error(`expected integers or F32 in a batch, got ${data.constructor.name}`);
}
