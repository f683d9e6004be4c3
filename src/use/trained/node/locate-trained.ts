import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { holdsAdapter } from '../../../input/formats/adapters/node/adapter-folder.ts';
import type { DownloadProgress } from '../../../input/formats/byte-source.ts';
import { missingFile, nearNames } from '../../../input/formats/node/file-source.ts';
import { readYaml } from '../../../input/formats/node/read-text.ts';
import { resolveModel } from '../../../input/hub/node/resolve-model.ts';
import type { ResolveOptions } from '../../../input/hub/repository.ts';
import { UserError } from '../../../support/user-error.ts';
import { runFiles } from '../../../training/run/node/run-folder.ts';

/** The destination of a path or id. */
export interface Located {
  folder: string;
  kind: 'adapter' | 'model';
  /** The base model in the run's config, if the path is a run's. */
  runModel?: string;
}

type LocateOptions = Pick<ResolveOptions, 'onProgress' | 'pools'>;

/**
 * Finds the adapter or the model in a run's folder, in the folder itself, or on the Hub by its id.
 *
 * @throws UserError if there is neither
 */
export async function locateTrained(path: string, options: LocateOptions = {}): Promise<Located> {
  if (!existsSync(path) && isOfRuns(path)) throw missingRun(path);
  const folder = existsSync(path) ? path : await fetched(path, options);
  if (holdsAdapter(folder)) return { folder, kind: 'adapter' };
  const { adapter, model, config } = runFiles(folder);
  const runModel = readRunBase(folder);
  if (holdsAdapter(adapter)) return { folder: adapter, kind: 'adapter', runModel };
  if (existsSync(join(model, 'config.json'))) return { folder: model, kind: 'model' };
  if (existsSync(join(folder, 'config.json'))) return { folder, kind: 'model' };
  throw new UserError({
    where: path,
    fault: 'has no adapter (adapter_config.json) and no model (config.json), and is not a finished run',
    hint: existsSync(config) ? 'The run has not finished: adalora train CONFIG.yaml --resume' : undefined,
    code: 'not_found',
  });
}

/** The usual folder of runs. */
const RUNS = 'runs';
/** Maximum number of runs to list. */
const MAX_LISTED = 10;

/** Whether a path can only be a run's, because it is not a Hub id or is in the folder of runs. */
function isOfRuns(path: string): boolean {
  const parts = path.split(/[\\/]/);
  return parts[0] === RUNS || (parts.length > 1 && runsIn(dirname(path)).length > 0);
}

function missingRun(path: string): UserError {
  const beside = runsIn(dirname(path));
  const runs = beside.length > 0 ? beside : runsIn(RUNS);
  const more = runs.length > MAX_LISTED ? ` and ${runs.length - MAX_LISTED} more` : '';
  const hint =
    runs.length > 0
      ? `There are ${runs.slice(0, MAX_LISTED).join(', ')}${more}.`
      : 'There are no runs here yet: adalora train makes one.';
  return new UserError({
    where: path,
    fault: 'does not exist; it should be the folder of a run',
    hint,
    code: 'not_found',
  });
}

/** Paths of the runs in a folder. */
function runsIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .map((name) => join(folder, name))
      .filter((path) => existsSync(runFiles(path).config));
  } catch {
    return [];
  }
}

/** Downloads an id from the Hub. If the Hub does not have it, the error suggests a folder with a similar name. */
async function fetched(id: string, options: LocateOptions): Promise<string> {
  try {
    return await resolveModel(id, options);
  } catch (error) {
    if (!(error instanceof UserError) || nearNames(id).length === 0) throw error;
    throw missingFile(id, 'the folder of a run, an adapter or a model, or its id on the Hub');
  }
}

/** Like {@link locateTrained}, but only for adapters. A whole model is rejected. */
export async function locateAdapter(path: string): Promise<Located> {
  const located = await locateTrained(path);
  if (located.kind === 'adapter') return located;
  throw new UserError({
    where: path,
    fault: `is a whole model in ${located.folder}, not an adapter`,
    hint: 'Only adapters can be used here. In a config, a whole model is named by model.',
  });
}

/** The base model in a run's config. */
export function readRunBase(run: string): string | undefined {
  const { config } = runFiles(run);
  if (!existsSync(config)) return undefined;
  const { model } = Object(readYaml(config, 'the config of a run')) as { model?: unknown };
  return typeof model === 'string' ? model : undefined;
}

/**
 * Returns the folder of the base model that an adapter names. The name is a Hub id, or a path relative to the current
 * folder (as in PEFT) or to the adapter's folder.
 *
 * @throws UserError if it does not exist, or the adapter names none
 */
export async function resolveBase(
  name: string | null | undefined,
  adapterFolder: string,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<string> {
  if (!name) {
    throw new UserError({
      where: adapterFolder,
      fault: 'does not name its base model',
      hint: 'Give --model.',
    });
  }
  const beside = join(adapterFolder, name);
  try {
    return await resolveModel(!existsSync(name) && existsSync(beside) ? beside : name, { onProgress });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `${error.message} ${adapterFolder} names it as its base model. If it is elsewhere, pass --model.`,
    );
  }
}
