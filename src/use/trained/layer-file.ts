import { encodeSafetensors } from '../../input/formats/encode-safetensors.ts';
import { type Files, pathIn, readFile } from '../../input/formats/files.ts';
import { SafetensorsFile } from '../../input/formats/safetensors.ts';
import { featureWidth, type LinearLayer } from '../../program/objectives/sentence-classifier.ts';
import { InvalidFile, UserError } from '../../support/user-error.ts';
import { assertFiniteValues } from './finite-values.ts';

/**
 * The file of a linear layer on sentence vectors, beside the adapter: `weight` [outputs, features] and `bias` [outputs],
 * named as in PyTorch's `Linear`. PEFT ignores it.
 */
export const LAYER_FILE = 'head.safetensors';
/** Maximum size of the file: 10,000 labels and the features of pairs of vectors of 1,600 numbers. */
const MAX_BYTES = 2 ** 28;

export function encodeLayer({ weight, bias }: LinearLayer): Uint8Array[] {
  const outputs = bias.length;
  return encodeSafetensors(
    new Map([
      ['weight', { dtype: 'F32', shape: [outputs, weight.length / outputs], data: weight }],
      ['bias', { dtype: 'F32', shape: [outputs], data: bias }],
    ]),
    { format: 'pt' },
  );
}

/**
 * Reads the layer among the files of an adapter or a model. Undefined if there is none.
 *
 * @throws UserError for a damaged file, and for values that are not finite
 */
export async function readLayer(files: Files): Promise<LinearLayer | undefined> {
  const bytes = await readFile(files, LAYER_FILE, MAX_BYTES);
  if (!bytes) return undefined;
  const where = pathIn(files.name, LAYER_FILE);
  const file = SafetensorsFile.of(bytes, where);
  const [outputs, width, ...more] = file.info('weight').shape;
  const [biases, ...others] = file.info('bias').shape;
  if (!outputs || !width || more.length > 0 || biases !== outputs || others.length > 0)
    throw new InvalidFile({
      where,
      fault: `has a weight of shape [${file.info('weight').shape}] and a bias of shape [${file.info('bias').shape}]`,
      hint: 'They must be [labels, features] and [labels].',
    });
  const layer = { weight: file.readFloat32('weight'), bias: file.readFloat32('bias') };
  for (const values of Object.values(layer)) assertFiniteValues(values, where);
  return layer;
}

/**
 * Checks that a layer reads the vectors of a model.
 *
 * @param width the size of a vector
 * @param columns texts per row
 * @param outputs number of labels; 1 for a score
 * @throws UserError for a missing layer, and for a layer of another model
 */
export function checkLayer(
  layer: LinearLayer | undefined,
  { width, columns, outputs }: { width: number; columns: number; outputs: number },
  where: string,
): void {
  if (!layer)
    throw new UserError({
      where,
      fault: `has no ${LAYER_FILE}, the linear layer that turns sentence vectors into labels`,
      hint: 'Copy it from the folder in which the run wrote it.',
      code: 'not_found',
    });
  const features = featureWidth(width, columns);
  const { weight, bias } = layer;
  if (bias.length === outputs && weight.length === outputs * features) return;
  throw new InvalidFile({
    where: `${where}, ${LAYER_FILE}`,
    fault: `is for ${bias.length} labels and ${weight.length / bias.length} features, but the model has ${outputs} and ${features}`,
    hint: 'Is it from another run?',
  });
}
