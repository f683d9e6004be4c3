import type { AdapterTensor } from '../../input/formats/adapters/stored-adapter.ts';
import { encodeGguf, GGUF_DTYPES, type GgufDtype, type GgufTensor } from '../../input/formats/encode-gguf.ts';
import type { Increments } from '../../methods/tuners/adapter-kind.ts';
import type { GgufFormat } from '../../models/model-definition.ts';
import { modelTypes } from '../../models/registry.ts';
import { elementCount } from '../../support/arrays.ts';
import { acceptOne, assertOptions, type OptionTypes } from '../../support/options.ts';
import { UserError } from '../../support/user-error.ts';
import type { WrittenForm } from './export-forms.ts';
import { assertFiniteValues } from './finite-values.ts';
import type { OpenedTuned, TunedModel } from './trained-parts.ts';
import type { KnownAdapter } from './tune-model.ts';

export interface ExportGgufOptions {
  /** Type of the values. Default: f32. */
  dtype?: GgufDtype | undefined;
}

export const GGUF_OPTIONS: OptionTypes<ExportGgufOptions> = { dtype: acceptOne(...GGUF_DTYPES) };

/** The names of the kind of adapter, and of the two matrices of a product, in llama.cpp and mlx-lm. */
const KIND = 'lora';
export const SUFFIXES = { inner: `${KIND}_a`, outer: `${KIND}_b` };

/** The output projection, outside of the layers. A model with tied weights has no such tensor. */
const OUTPUT = { module: 'lm_head', name: 'output' } as const;

/** A format for products of matrices alone, for messages. */
export interface ProductsFormat {
  holder: string;
  /** The remedy for an adapter that it cannot hold, and for a whole model. */
  instead: string;
  ofModel: string;
}

const GGUF_ADAPTERS: ProductsFormat = {
  holder: 'GGUF adapters',
  instead: 'Export the whole model with --as gguf.',
  ofModel: 'Export it with --as gguf.',
};

/** A model with the adapter to export. */
type GgufSource = Pick<TunedModel, 'model' | 'notes'> & { adapter?: KnownAdapter; folder: string };

/**
 * Encodes an adapter as a GGUF file for llama.cpp and the programs that use it. B contains the whole scale, and the file
 * has no alpha: llama.cpp would divide it by the rank of each tensor. Rows have llama.cpp's order.
 *
 * @throws UserError for a whole model, a family that llama.cpp does not share, and anything in the adapter that the
 * format cannot hold
 */
function ggufAdapter(source: GgufSource, options: ExportGgufOptions = {}): Iterable<Uint8Array> {
  assertOptions('export as gguf-adapter', options, GGUF_OPTIONS);
  const { dtype = 'f32' } = options;
  const { model, folder } = source;
  const format = ggufFormat(source, 'adapter');
  const tensors = new Map<string, GgufTensor>();
  for (const [path, { A, B }] of collectIncrements(source, GGUF_ADAPTERS)) {
    const name = ggufName(path, format, source);
    const rows = format.rows?.(name.module, model.config);
    const [inner, outer] = [A, B].map((factor) => createTensor(factor, `${folder}: ${path}`));
    tensors.set(`${name.weight}.${SUFFIXES.inner}`, inner!);
    tensors.set(`${name.weight}.${SUFFIXES.outer}`, reordered(outer!, rows));
  }
  const metadata = {
    'general.architecture': format.architecture,
    'general.type': 'adapter',
    'adapter.type': KIND,
  };
  return encodeGguf(metadata, tensors, dtype);
}

/**
 * How llama.cpp stores a model.
 *
 * @throws UserError for a family that it does not share
 */
export function ggufFormat(
  { model, folder }: Pick<GgufSource, 'model' | 'folder'>,
  what: 'adapter' | 'model',
): GgufFormat {
  const { gguf: format, modelType } = model.definition;
  const holds = (format: GgufFormat | undefined) =>
    (what === 'adapter' ? format : format?.whole) !== undefined;
  if (format && holds(format)) return format;
  throw new UserError({
    where: folder,
    fault: `is for a model of type ${modelType}, which has no GGUF ${what}s`,
    hint: `Known: ${modelTypes(({ gguf }) => holds(gguf)).join(', ')}.`,
    code: 'unsupported',
  });
}

/**
 * The products to add. B contains the whole scale.
 *
 * @throws UserError for a whole model, and for anything in the adapter that is no product
 */
export function collectIncrements(
  { adapter, folder, notes }: GgufSource,
  format: ProductsFormat,
): Increments['modules'] {
  if (!adapter) {
    throw new UserError({
      where: folder,
      fault: 'is a whole model, not an adapter',
      hint: format.ofModel,
      code: 'unsupported',
    });
  }
  const { kind, stored } = adapter;
  if (!kind.increments) {
    const hint = kind.unmergeable && `It cannot be merged either: ${kind.unmergeable}.`;
    throw productRefusal(folder, `an adapter of kind ${kind.name}`, format, hint);
  }
  if (notes?.base_dtype)
    throw productRefusal(folder, `an adapter that fits a base of type ${notes.base_dtype}`, format);
  const changed = Object.keys(notes?.model_config ?? {});
  if (changed.length > 0)
    throw productRefusal(folder, `changed fields of config.json (${changed.join(', ')})`, format);
  const { modules, more } = kind.increments(stored, folder);
  if (more) throw productRefusal(folder, more, format);
  return modules;
}

function createTensor({ shape, data }: AdapterTensor, where: string): GgufTensor {
  assertFiniteValues(data, where);
  return { shape, read: (start, end) => data.subarray(start, end) };
}

export function productRefusal(
  where: string,
  content: string,
  { holder, instead }: ProductsFormat,
  hint = instead,
): UserError {
  return new UserError({
    where,
    fault: `has ${content}, which ${holder} cannot hold`,
    hint,
    code: 'unsupported',
  });
}

/** llama.cpp's name of a module, and of its weight. */
function ggufName(
  path: string,
  format: GgufFormat,
  { model, folder }: GgufSource,
): { module: string; weight: string } {
  if (path === OUTPUT.module && model.parameters.has(`${path}.weight`))
    return { module: OUTPUT.name, weight: `${OUTPUT.name}.weight` };
  const [, layer, inLayer] = /\.(\d+)\.(.+)$/.exec(path) ?? [];
  const module = inLayer === undefined ? undefined : format.modules[inLayer];
  if (module === undefined) throw productRefusal(folder, `the module ${path}`, GGUF_ADAPTERS);
  return { module, weight: `blk.${layer}.${module}.weight` };
}

/** The tensor with its rows in another order. */
export function reordered(tensor: GgufTensor, rows: Uint32Array | undefined): GgufTensor {
  if (!rows) return tensor;
  const columns = elementCount(tensor.shape.slice(1));
  return {
    ...tensor,
    read(start, end) {
      const moved = new Float32Array(end - start);
      for (let at = start; at < end; ) {
        const row = Math.floor(at / columns);
        const stop = Math.min(end, (row + 1) * columns);
        const shift = (rows[row]! - row) * columns;
        moved.set(tensor.read(at + shift, stop + shift), at - start);
        at = stop;
      }
      return moved;
    },
  };
}

const ADAPTER_FILE = 'adapter.gguf';

/**
 * An adapter as a GGUF file, and a Modelfile for Ollama.
 *
 * @throws UserError like {@link ggufAdapter}
 */
export function ggufAdapterForm(opened: OpenedTuned, options?: ExportGgufOptions): WrittenForm {
  const { adapter, baseFolder, notes } = opened;
  const base = adapter?.stored.baseModel ?? baseFolder;
  const isPlain = notes && notes.data.messages === undefined;
  const lines = [
    `# The base model is ${base.replace(/\s+/g, ' ')}. FROM must name the same model: its GGUF file, made by`,
    '# adalora export --as gguf, or its name in Ollama.',
    'FROM ./base.gguf',
    `ADAPTER ./${ADAPTER_FILE}`,
    isPlain
      ? 'TEMPLATE """{{ .Prompt }}"""'
      : '# Without TEMPLATE, Ollama uses that of the base model. It must be the chat template of the training.',
  ];
  return {
    files: [
      [ADAPTER_FILE, ggufAdapter(opened, options)],
      ['Modelfile', `${lines.join('\n')}\n`],
    ],
    copies: {},
  };
}
