import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNewFolder } from '../../formats/node/assert-new-folder.ts';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { makeFolder } from '../../formats/node/make-folder.ts';
import { readTokenizerFiles } from '../../text/node/load-tokenizer.ts';
import {
  CHAT_TEMPLATE,
  CONFIG,
  type ExportOnnxOptions,
  GENERATION_CONFIG,
  onnxFolder,
} from '../onnx-folder.ts';
import type { OpenedTuned } from './open-tuned.ts';
import { sharedFiles } from './write-model.ts';

/**
 * Writes the files of {@link onnxFolder} and those of the base model's tokenizer, one tensor at a time.
 *
 * @throws UserError for a folder with files in it
 */
export function exportOnnx(opened: OpenedTuned, output: string, options?: ExportOnnxOptions): void {
  assertNewFolder(output);
  const { baseFolder } = opened;
  const shared = sharedFiles(baseFolder);
  const where = (name: string) => join(baseFolder, name);
  const others = [CONFIG, CHAT_TEMPLATE, GENERATION_CONFIG].filter((name) => existsSync(where(name)));
  const files = new Map([
    ...readTokenizerFiles(baseFolder),
    ...others.map((name) => [name, readFileSync(where(name))] as const),
  ]);
  const made = onnxFolder(opened, { files, where }, options);
  makeFolder(output);
  for (const [name, path] of shared) copyFileSync(path, join(output, name));
  // The config comes last. Without it, the folder is not recognised as complete.
  for (const [path, { chunks }] of made) atomicWrite(join(output, path), chunks());
}
