import { writeAdapter } from '../../../input/formats/adapters/node/adapter-folder.ts';
import { assertNewFolder } from '../../../input/formats/node/folder-files.ts';
import type { ExportLoraOptions } from '../../../methods/tuners/adapter-kind.ts';
import { assertOptions, BOOLEAN, type OptionTypes } from '../../../support/options.ts';
import { suggest } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import { assertFiniteValues } from '../finite-values.ts';
import { copyNotes } from './notes-file.ts';
import type { OpenedTuned } from './open-tuned.ts';

/** The form that every model supports, with or without an adapter: see `exportOnnx`. */
export const ONNX_FORM = 'onnx';
/** The form of adapters for llama.cpp, its server, and Ollama. */
export const GGUF_FORM = 'gguf';

const EXPORT_OPTIONS: OptionTypes<ExportLoraOptions> = { uniform: BOOLEAN };

/**
 * Writes an adapter in another equivalent form.
 *
 * @throws UserError that names the available forms, for values that are not finite, and for a folder with files in it
 */
export function exportAdapter(
  { adapter, folder }: Pick<OpenedTuned, 'adapter' | 'folder'>,
  form: string,
  output: string,
  options: ExportLoraOptions = {},
): void {
  assertOptions(`export as ${form}`, options, EXPORT_OPTIONS);
  const forms = [...Object.keys(adapter?.kind.exports ?? {}), GGUF_FORM, ONNX_FORM];
  const written = adapter?.kind.exports[form];
  if (!adapter || !written) {
    throw new UserError({
      where: folder,
      fault: `is ${adapter ? `an adapter of kind ${adapter.kind.name}` : 'a whole model'}, which cannot be exported as ${form}`,
      hint: suggest(form, forms),
      code: 'unsupported',
    });
  }
  const made = written(adapter.stored, folder, options);
  for (const [name, { data }] of made.tensors) assertFiniteValues(data, `${folder}: ${name}`);
  assertNewFolder(output);
  writeAdapter(output, made);
  copyNotes(folder, output);
}
