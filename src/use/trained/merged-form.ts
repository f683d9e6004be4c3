import { z } from 'zod';
import type { EncodedFile } from '../../input/formats/adapters/encode-adapter.ts';
import { streamSafetensors } from '../../input/formats/encode-safetensors.ts';
import { type Files, pathIn, readJsonFile } from '../../input/formats/files.ts';
import { f32ToBf16, finiteF16 } from '../../input/formats/float.ts';
import type { ReadRange } from '../../methods/tuners/tuner.ts';
import { PLAIN_SENTENCE, type SentenceSettings } from '../../models/sentence-settings.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { elementCount, viewBytes } from '../../support/arrays.ts';
import { acceptOne, assertOptions, type OptionTypes } from '../../support/options.ts';
import { InvalidFile, UserError } from '../../support/user-error.ts';
import { DEFAULT_TASK } from '../../tasks/registry.ts';
import type { WrittenForm } from './export-forms.ts';
import { assertFiniteValues, finiteReader } from './finite-values.ts';
import { fittingReader } from './fitting-base.ts';
import { storedName, trainedConfig } from './full-model.ts';
import { LAYER_FILE, readLayer } from './layer-file.ts';
import { fillInReading, type Notes, templateFiles } from './notes.ts';
import { sentenceFiles } from './sentence-files.ts';
import type { OpenedTuned } from './trained-parts.ts';

/** Element types of a written checkpoint, by their names in transformers. */
export const MERGED_DTYPES = ['float32', 'float16', 'bfloat16'] as const;
type MergedDtype = (typeof MERGED_DTYPES)[number];

/** How a merged model is stored. */
export interface MergeOptions {
  /** The type of every weight. Default: each tensor keeps its type in the base model. */
  dtype?: MergedDtype | undefined;
}

const MERGE_OPTIONS: OptionTypes<MergeOptions> = { dtype: acceptOne(...MERGED_DTYPES) };

/** Number of elements in memory at once: a megabyte, whatever the size of a tensor. */
const BLOCK = 2 ** 18;

const STORED = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' } as const;

/**
 * The merged model as a checkpoint, as transformers' `save_pretrained` writes it. The weights are made block by block.
 *
 * @throws UserError for a model without an adapter, an adapter that cannot be merged, and values that are not finite;
 * while the weights are made, for values that `dtype` cannot represent
 */
export function mergedForm(opened: OpenedTuned, options: MergeOptions = {}): WrittenForm {
  const { model, base, folder, notes, adapter } = opened;
  const { dtype } = options;
  assertOptions('merge', options, MERGE_OPTIONS);
  if (!adapter) {
    const hint = 'Use it as it is.';
    throw new UserError({
      where: folder,
      fault: 'is a whole model, not an adapter',
      hint,
      code: 'unsupported',
    });
  }
  const read = mergedWeights(opened);
  const setFit = setFitConfig(notes);
  const text = new TextDecoder().decode(base.config);
  return {
    copies: { ofBase: true, notes: 'merged' },
    files: [
      ['model.safetensors', listWeights(model, read, dtype)],
      ...sentenceFiles(model, notes?.data.max_length),
      ...templateFiles(base, notes),
      ...(setFit ? [[SETFIT_CONFIG, setFit] satisfies EncodedFile] : []),
      ['config.json', trainedConfig(text, model, notes, dtype)],
    ],
  };
}

/**
 * Reads a model's parameters with its adapter merged into them, if it has one.
 *
 * @throws UserError for an adapter that cannot be merged, and values that are not finite
 */
export function mergedWeights(opened: OpenedTuned): ReadRange {
  const { tuner, values, folder, adapter } = opened;
  if (!tuner.merged) {
    throw new UserError({
      where: folder,
      fault: `is an adapter of kind ${adapter?.kind.name}, which cannot be added to the weights of its base model${adapter?.kind.unmergeable ? `: ${adapter.kind.unmergeable}` : ''}`,
      hint: 'Use it as it is: predict, eval and generate open it with its base model.',
      code: 'unsupported',
    });
  }
  assertFiniteValues(values, folder);
  return tuner.merged(values, fittingReader(opened));
}

function listWeights(
  model: LoadedModel,
  read: ReadRange,
  dtype: MergedDtype | undefined,
): Iterable<Uint8Array> {
  const dtypeOf = (name: string) => {
    const place = model.locate(name);
    return 'data' in place || place.dtype === 'uint8' ? undefined : place.dtype;
  };
  const buffers = [...model.buffers].filter(([name]) => dtypeOf(name) !== undefined);
  const tensors = [...model.parameters, ...buffers];
  // A parameter that the base lacks, such as the head, gets the type of the base's first tensor.
  const first = tensors.map(([name]) => dtypeOf(name)).find((dtype) => dtype !== undefined) ?? 'float32';
  const written = new Map(
    tensors.map(([name, shape]) => [name, { shape, dtype: dtype ?? dtypeOf(name) ?? first }]),
  );
  const names = new Map(tensors.map(([name]) => [storedName(model, name), name]));
  const stored = new Map(
    [...names].map(([inFile, name]) => {
      const { shape, dtype } = written.get(name)!;
      return [inFile, { shape, dtype: STORED[dtype] }];
    }),
  );
  const finite = finiteReader(read);
  function* blocks(inFile: string) {
    const name = names.get(inFile)!;
    const { shape, dtype } = written.get(name)!;
    // Buffers may contain -Infinity, in a mask.
    const readOf = model.buffers.has(name) ? read : finite;
    const length = elementCount(shape);
    for (let start = 0; start < length; start += BLOCK) {
      yield encoded(readOf(name, start, Math.min(length, start + BLOCK)), dtype, name);
    }
  }
  return streamSafetensors(stored, blocks, { format: 'pt' });
}

function encoded(values: Float32Array, dtype: MergedDtype, name: string): Uint8Array {
  if (dtype === 'float32') return viewBytes(values);
  if (dtype === 'bfloat16') return viewBytes(f32ToBf16(values));
  return viewBytes(finiteF16(values, name, 'Merge with --dtype bfloat16 or float32.'));
}

/** SetFit's file beside those of sentence-transformers. */
const SETFIT_CONFIG = 'config_setfit.json';

/** SetFit's names of columns. */
const COLUMNS = { text: 'text', label: 'label' };

const schema = z.looseObject({
  labels: z.array(z.union([z.string(), z.number()]).transform(String)).nullish(),
  normalize_embeddings: z.boolean().default(false),
});

/**
 * SetFit's file for a model with a linear layer on the vectors of single texts. Undefined for other models. SetFit reads
 * its head from a pickle only, so {@link LAYER_FILE} has to be put into it.
 */
function setFitConfig(notes: Notes | undefined): string | undefined {
  if (!notes?.layer || notes.labels.length === 0 || notes.data.text_pair !== undefined) return undefined;
  // If vectors are normalized, a module of sentence-transformers does it.
  return `${JSON.stringify({ normalize_embeddings: false, labels: notes.labels }, null, 2)}\n`;
}

/**
 * The notes for the folder of a SetFit model, if it is one. Its head must be a file of tensors, because a pickle may run
 * code.
 *
 * @throws UserError for a head that is only a pickle, and for settings without an equivalent here
 */
export async function setFitNotes(
  files: Files,
  { pooling: { mode, normalize }, maxLength }: SentenceSettings = PLAIN_SENTENCE,
): Promise<Notes | undefined> {
  const json = await readJsonFile(files, SETFIT_CONFIG);
  if (json === undefined) return undefined;
  const where = pathIn(files.name, SETFIT_CONFIG);
  const { data: settings, error } = schema.safeParse(json);
  if (!settings) throw new InvalidFile({ where, fault: `is not valid: ${z.prettifyError(error)}` });
  const layer = await readLayer(files);
  if (!layer) {
    throw new InvalidFile({
      where: files.name,
      fault: `is a model of SetFit whose head is a pickle, which might run code and is never read`,
      hint: `Write its weight and bias to ${LAYER_FILE} in Python (docs/setfit.md), or use its vectors: adalora embed.`,
    });
  }
  const labels = settings.labels ?? Array.from(layer.bias, (_, i) => String(i));
  if (labels.length !== layer.bias.length) {
    const fault = `has ${labels.length} labels, but ${LAYER_FILE} has ${layer.bias.length}`;
    throw new InvalidFile({ where, fault });
  }
  if (settings.normalize_embeddings && !normalize) {
    throw new InvalidFile({
      where,
      fault: 'normalizes vectors outside of the model',
      hint: 'Add a module Normalize to modules.json instead.',
    });
  }
  const data = fillInReading(DEFAULT_TASK, { ...COLUMNS, pooling: mode, max_length: maxLength });
  return { task: DEFAULT_TASK, labels, data, layer };
}
