import { formatAdapterConfig } from '../../input/formats/adapters/encode-adapter.ts';
import type { AdapterTensor } from '../../input/formats/adapters/stored-adapter.ts';
import { encodeSafetensors } from '../../input/formats/encode-safetensors.ts';
import type { StoredTensor } from '../../input/formats/tensor-data.ts';
import { largest } from '../../support/numbers.ts';
import { assertOptions } from '../../support/options.ts';
import type { WrittenForm } from './export-forms.ts';
import { assertFiniteValues } from './finite-values.ts';
import { storedName } from './full-model.ts';
import { collectIncrements, type ProductsFormat, productRefusal, SUFFIXES } from './gguf-adapter.ts';
import { templateFiles } from './notes.ts';
import type { OpenedTuned } from './trained-parts.ts';

const MLX_ADAPTERS: ProductsFormat = {
  holder: 'adapters for mlx-lm',
  instead: 'Export the whole model with --as merged, which mlx-lm opens.',
  ofModel: 'mlx-lm opens it as it is.',
};

/** The output projection, which has no layer. */
const OUTPUT = 'lm_head';

/**
 * An adapter for mlx-lm: `adapters.safetensors` with the transposed factors, and its `adapter_config.json`. mlx-lm has one
 * rank for all modules, so smaller factors are padded with zeros. Modules that the file lacks start at zero there. The
 * factors contain the whole scale.
 *
 * @throws UserError for a whole model, another model than a decoder, and anything that the format cannot hold
 */
export function mlxForm(opened: OpenedTuned, options: object = {}): WrittenForm {
  assertOptions('export as mlx', options, {});
  const { model, folder, adapter, baseFolder, base, notes } = opened;
  const products = [...collectIncrements(opened, MLX_ADAPTERS)].filter(([, { A }]) => A.shape[0]! > 0);
  const rank = products.reduce((most, [, { A }]) => Math.max(most, A.shape[0]!), 1);
  const keys = new Set<string>();
  const tensors = new Map<string, StoredTensor>();
  for (const [path, { A, B }] of products) {
    const [, layer, inLayer] =
      /^(?:model\.layers|transformer\.h|gpt_neox\.layers)\.(\d+)\.(.+)$/.exec(path) ?? [];
    const isOutput = path === OUTPUT && model.parameters.has(`${path}.weight`);
    if (inLayer === undefined && !isOutput) throw productRefusal(folder, `the module ${path}`, MLX_ADAPTERS);
    const list = path.startsWith('model.') ? 'layers' : 'h';
    const name = inLayer === undefined ? outputName(model) : `model.${list}.${layer}.${inLayer}`;
    keys.add(inLayer ?? name);
    for (const { data } of [A, B]) assertFiniteValues(data, `${folder}: ${path}`);
    tensors.set(`${name}.${SUFFIXES.inner}`, transposed(A, [A.shape[1]!, rank]));
    tensors.set(`${name}.${SUFFIXES.outer}`, transposed(B, [rank, B.shape[0]!]));
  }
  const layers = [...model.parameters.keys()].map((name) => Number(/\.(\d+)\./.exec(name)?.[1] ?? 0));
  const config = {
    model: adapter?.stored.baseModel ?? baseFolder,
    num_layers: largest(layers) + 1,
    lora_parameters: { rank, scale: 1, dropout: 0, keys: [...keys].sort() },
  };
  return {
    files: [
      ...templateFiles(base, notes),
      ['adapters.safetensors', encodeSafetensors(tensors)],
      ['adapter_config.json', formatAdapterConfig(config, ['scale', 'dropout'])],
    ],
    copies: {},
  };
}

/** A projection with another name than most, as in GPT-NeoX, is part of the inner model. */
function outputName(model: OpenedTuned['model']): string {
  const stored = storedName(model, `${OUTPUT}.weight`).replace(/\.weight$/, '');
  return stored === OUTPUT ? stored : `model.${stored}`;
}

/** A transposed matrix, padded with zeros. */
function transposed({ shape, data }: AdapterTensor, padded: [number, number]): StoredTensor {
  const [rows, columns] = shape as [number, number];
  const made = new Float32Array(padded[0] * padded[1]);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      made[column * padded[1] + row] = data[row * columns + column]!;
  return { dtype: 'F32', shape: padded, data: made };
}
