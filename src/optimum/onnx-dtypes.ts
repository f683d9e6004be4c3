import { suggest } from '../support/nearest.ts';
import { UserError } from '../support/user-error.ts';
import { byteRows } from './weights/byte-rows.ts';
import type { WeightForms } from './weights/file-weights.ts';
import { fourBitBlocks } from './weights/four-bit-blocks.ts';

interface OnnxType extends WeightForms {
  /** Ends the names of its files, less `.onnx`. */
  suffix: string;
}

/** How weights may be kept, by transformers.js's names for it. */
export const ONNX_DTYPES = {
  fp32: { suffix: '', dtype: 'float32', products: [], tables: [] },
  fp16: { suffix: '_fp16', dtype: 'float16', products: [], tables: [] },
  q8: { suffix: '_quantized', dtype: 'float32', products: [byteRows], tables: [byteRows] },
  q4: { suffix: '_q4', dtype: 'float32', products: [fourBitBlocks, byteRows], tables: [byteRows] },
} as const satisfies Record<string, OnnxType>;

export type OnnxDtype = keyof typeof ONNX_DTYPES;

/**
 * The types that a list with commas names.
 *
 * @throws UserError for one that is not known
 */
export function parseOnnxDtypes(list: string, where: string): OnnxDtype[] {
  const names = list.split(',').map((name) => name.trim());
  const known = Object.keys(ONNX_DTYPES);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return [...new Set(names)] as OnnxDtype[];
  throw new UserError({
    where,
    expected: `types of weights (${known.join(', ')}), separated by commas`,
    got: unknown === '' ? 'nothing' : unknown,
    hint: unknown === '' ? undefined : suggest(unknown, known),
  });
}
