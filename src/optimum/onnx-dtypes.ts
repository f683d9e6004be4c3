import { suggest } from '../support/nearest.ts';
import { UserError } from '../support/user-error.ts';
import { byteRows } from './weights/byte-rows.ts';
import type { WeightForms } from './weights/file-weights.ts';
import { fourBitBlocks } from './weights/four-bit-blocks.ts';

interface OnnxType extends WeightForms {
  /** Suffix of the file name, before `.onnx`. */
  suffix: string;
}

/** Types of stored weights, by their names in transformers.js. */
export const ONNX_DTYPES = {
  fp32: { suffix: '', dtype: 'float32', products: [], tables: [] },
  fp16: { suffix: '_fp16', dtype: 'float16', products: [], tables: [] },
  q8: { suffix: '_quantized', dtype: 'float32', products: [byteRows], tables: [byteRows] },
  q4: { suffix: '_q4', dtype: 'float32', products: [fourBitBlocks, byteRows], tables: [byteRows] },
} as const satisfies Record<string, OnnxType>;

export type OnnxDtype = keyof typeof ONNX_DTYPES;

/**
 * Returns the types with these names, without duplicates.
 *
 * @throws UserError for an unknown name, with the nearest known name, and for an empty list
 */
export function onnxDtypes(names: readonly string[], where: string): OnnxDtype[] {
  const known = Object.keys(ONNX_DTYPES);
  const unknown = names.length === 0 ? '' : names.find((name) => !known.includes(name));
  if (unknown === undefined) return [...new Set(names)] as OnnxDtype[];
  throw new UserError({
    key: where,
    expected: `a list of weight types (${known.join(', ')})`,
    got: unknown === '' ? 'none' : unknown,
    hint: unknown === '' ? undefined : suggest(unknown, known),
  });
}
