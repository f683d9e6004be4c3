import { copyFileSync, existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { makeFolder } from '../../formats/node/make-folder.ts';
import { writeSafetensors } from '../../formats/node/safetensors-file.ts';
import type { LoadedModel } from '../../program/model-weights.ts';
import { UserError } from '../../support/user-error.ts';
import type { ParameterLayout } from '../../tuners/parameter-layout.ts';
import { fullModelTensors, SHARED_FILES, trainedConfig } from '../full-model.ts';
import type { Notes } from '../notes.ts';

/** Writes a fully fine-tuned model as transformers' `save_pretrained` does: weights, config with labels, tokenizer. */
export function writeFullModel(
  folder: string,
  baseFolder: string,
  model: LoadedModel,
  layout: ParameterLayout,
  values: Float32Array,
  trainedFor: Pick<Notes, 'task' | 'labels' | 'model_config'>,
): void {
  makeFolder(folder);
  const tensors = fullModelTensors(model, layout, values);
  writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  writeModelFiles(folder, baseFolder, model, trainedFor, 'float32');
}

/**
 * Writes the files of a fine-tuned model other than its weights: the tokenizer of the base, and its config from {@link
 * trainedConfig}.
 */
export function writeModelFiles(
  folder: string,
  baseFolder: string,
  model: LoadedModel,
  trainedFor: Pick<Notes, 'task' | 'labels' | 'model_config'> | undefined,
  dtype: string | undefined,
): void {
  for (const [file, path] of sharedFiles(baseFolder)) copyFileSync(path, join(folder, file));
  const text = readFileSync(join(baseFolder, 'config.json'), 'utf8');
  atomicWrite(join(folder, 'config.json'), trainedConfig(text, model, trainedFor, dtype));
}

/**
 * The files of a base model's folder that a derived model copies: their real paths, by name.
 *
 * @throws UserError for a path that is not a file, and for a link that leads out of the folder, because its target may
 * be private. In the Hub's cache, which consists of links, a link must stay in its repository.
 */
export function sharedFiles(folder: string): Map<string, string> {
  const home = realpathSync(folder);
  const blobs = basename(dirname(home)) === 'snapshots' ? join(home, '..', '..', 'blobs') : home;
  const present = SHARED_FILES.filter((name) => existsSync(join(folder, name)));
  return new Map(
    present.map((name) => {
      const path = realpathSync(join(folder, name));
      const isWithin = [home, blobs].some((root) => path.startsWith(root + sep));
      if (isWithin && statSync(path).isFile()) return [name, path];
      throw new UserError({
        where: join(folder, name),
        fault: `cannot be copied beside the new weights: it is ${isWithin ? 'a folder or a device' : `a link to ${path}`}`,
        hint: 'Put a copy of the file in its place.',
      });
    }),
  );
}
