import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { missingFile } from '../../formats/node/missing-file.ts';
import { UserError } from '../../support/user-error.ts';
import { runFiles } from '../../run/node/run-folder.ts';

/** What a path given by the user leads to. */
export interface Trained {
  folder: string;
  kind: 'adapter' | 'model';
  /** The base model as the run's config names it, where the path is a run's. */
  runModel?: string;
}

/**
 * Finds the adapter or the fine-tuned model in a run's folder, or in the folder itself.
 *
 * @throws UserError where there is neither
 */
export function locateTrained(path: string): Trained {
  if (!existsSync(path)) throw missingFile(path, 'the folder of a run or an adapter');
  if (existsSync(join(path, 'adapter_config.json'))) return { folder: path, kind: 'adapter' };
  const { adapter, model, config } = runFiles(path);
  const runModel = existsSync(config) ? String(parse(readFileSync(config, 'utf8'))?.model) : undefined;
  if (existsSync(join(adapter, 'adapter_config.json'))) return { folder: adapter, kind: 'adapter', runModel };
  if (existsSync(join(model, 'config.json'))) return { folder: model, kind: 'model' };
  if (existsSync(join(path, 'config.json'))) return { folder: path, kind: 'model' };
  throw new UserError({
    where: path,
    expected: 'a run with an adapter, or an adapter (adapter_config.json)',
    got: 'neither',
    hint: runModel ? 'The run has not finished: adalora train CONFIG.yaml --resume' : undefined,
  });
}

/** Finds an adapter; a fully fine-tuned model, which has none, is refused. */
export function locateAdapter(path: string): Trained {
  const trained = locateTrained(path);
  if (trained.kind === 'adapter') return trained;
  throw new UserError({
    where: path,
    expected: 'an adapter',
    got: `a whole model in ${trained.folder}`,
    hint: 'Use it as it is.',
  });
}
