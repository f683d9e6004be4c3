import type { ByteStream } from '../../engine/onnx/schema.ts';
import { ANYTHING, assertOptions } from '../../support/options.ts';
import { EXPORT_OPTIONS, type ExportOnnxOptions, onnxFolder } from '../../use/trained/onnx-folder.ts';
import { OPEN_OPTIONS, type OpenOptions, openTrained, type Trained } from './open.ts';

export type PageExportOptions = ExportOnnxOptions & OpenOptions;

/**
 * Merges the result of a run with its base model and exports it as ONNX files with the small files of the base. Returns the
 * files by their paths in a folder that transformers.js and Optimum load.
 *
 * @throws UserError like {@link open}, and for a missing file of the base
 */
export async function exportOnnx(
  trained: Trained,
  options: PageExportOptions = {},
): Promise<Map<string, Uint8Array>> {
  assertOptions('exportOnnx', options, { ...OPEN_OPTIONS, ...EXPORT_OPTIONS, baseDtype: ANYTHING });
  const { dtypes, maxBytes, ...opening } = options;
  const { model, base } = await openTrained(trained, opening);
  try {
    const made = onnxFolder({ ...model.parts, base }, { dtypes, maxBytes });
    return new Map([...base.small, ...[...made].map(([path, stream]) => [path, joinBytes(stream)] as const)]);
  } finally {
    await model.close();
  }
}

function joinBytes({ byteLength, chunks }: ByteStream): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  let at = 0;
  for (const chunk of chunks()) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
