import { join } from 'node:path';
import { assertNewFolder } from '../../../input/formats/node/folder-files.ts';
import { atomicCopy, atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { type ExportOnnxOptions, onnxFolder } from '../onnx-folder.ts';
import type { OpenedTuned } from './open-tuned.ts';
import { sharedFiles } from './shared-files.ts';

/**
 * Writes the files of {@link onnxFolder} and those of the base model's tokenizer, one tensor at a time.
 *
 * @throws UserError for a folder with files in it
 */
export function exportOnnx(opened: OpenedTuned, output: string, options?: ExportOnnxOptions): void {
  assertNewFolder(output);
  const { base, baseFolder } = opened;
  const shared = sharedFiles(baseFolder);
  const made = onnxFolder(opened, { files: base.small, where: (name) => join(baseFolder, name) }, options);
  for (const [name, path] of shared) atomicCopy(path, join(output, name));
  // The config comes last. Without it, the folder is not recognised as complete.
  for (const [path, { chunks }] of made) atomicWrite(join(output, path), chunks());
}
