import { ADAPTER_CONFIG } from '../../input/formats/adapters/adapter-files.ts';
import type { DownloadProgress } from '../../input/formats/byte-source.ts';
import { type FolderFiles, listSafely } from '../../input/formats/files.ts';
import type { Hub } from '../../input/hub/hub.ts';
import type { ResolveOptions } from '../../input/hub/repository.ts';
import { lastPart, nearest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import { RUN_FILES, runYaml } from '../../training/run/run-files.ts';
import { CONFIG } from './read-model.ts';

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
export async function locateTrained(hub: Hub, path: string, options: LocateOptions = {}): Promise<Located> {
  const { disk } = hub;
  const exists = disk.has(path);
  if (!exists && isOfRuns(disk, path)) throw missingRun(disk, path);
  const folder = exists ? (hub.openFile?.(path) ?? path) : await fetched(hub, path, options);
  const files = disk.within(folder);
  if (files.has(ADAPTER_CONFIG)) return { folder, kind: 'adapter' };
  const [adapter, model] = [files.within(RUN_FILES.adapter), files.within(RUN_FILES.model)];
  const runModel = readRunBase(files);
  if (adapter.has(ADAPTER_CONFIG)) return { folder: adapter.name, kind: 'adapter', runModel };
  if (model.has(CONFIG)) return { folder: model.name, kind: 'model' };
  if (files.has(CONFIG)) return { folder, kind: 'model' };
  throw new UserError({
    where: path,
    fault: 'has no adapter (adapter_config.json) and no model (config.json), and is not a finished run',
    hint: files.has(RUN_FILES.config)
      ? 'The run has not finished: adalora train CONFIG.yaml --resume'
      : undefined,
    code: 'not_found',
  });
}

/** The usual folder of runs. */
const RUNS = 'runs';
/** Maximum number of runs to list. */
const MAX_LISTED = 10;

/** Whether a path can only be a run's, because it is not a Hub id or is in the folder of runs. */
function isOfRuns(disk: FolderFiles, path: string): boolean {
  const parts = path.split(/[\\/]/);
  return parts[0] === RUNS || (parts.length > 1 && runsIn(disk.within(`${path}/..`)).length > 0);
}

function missingRun(disk: FolderFiles, path: string): UserError {
  const beside = runsIn(disk.within(`${path}/..`));
  const runs = beside.length > 0 ? beside : runsIn(disk.within(RUNS));
  const more = runs.length > MAX_LISTED ? ` and ${runs.length - MAX_LISTED} more` : '';
  const hint =
    runs.length > 0
      ? `Available runs: ${runs.slice(0, MAX_LISTED).join(', ')}${more}.`
      : 'There are no runs here yet: adalora train makes one.';
  return new UserError({
    where: path,
    fault: 'does not exist; it should be the folder of a run',
    hint,
    code: 'not_found',
  });
}

/** Paths of the runs in a folder. */
function runsIn(folder: FolderFiles): string[] {
  const names = listSafely(folder).filter((name) => folder.has(`${name}/${RUN_FILES.config}`));
  return names.map(folder.path);
}

/** Downloads an id from the Hub. If the Hub does not have it, the error suggests a folder with a similar name. */
async function fetched(hub: Hub, id: string, options: LocateOptions): Promise<string> {
  try {
    return await hub.resolveModel(id, options);
  } catch (error) {
    const near = nearest(lastPart(id), listSafely(hub.disk.within(`${id}/..`)));
    if (!(error instanceof UserError) || near.length === 0) throw error;
    throw hub.disk.missing(id, 'the folder of a run, an adapter or a model, or its id on the Hub');
  }
}

/** Like {@link locateTrained}, but only for adapters. A whole model is rejected. */
export async function locateAdapter(hub: Hub, path: string): Promise<Located> {
  const located = await locateTrained(hub, path);
  if (located.kind === 'adapter') return located;
  throw new UserError({
    where: path,
    fault: `is a whole model in ${located.folder}, not an adapter`,
    hint: 'Only adapters can be used here. In a config, a whole model is named by model.',
  });
}

/** The base model in a run's config. */
export function readRunBase(run: FolderFiles): string | undefined {
  if (!run.has(RUN_FILES.config)) return undefined;
  const { model } = Object(runYaml(run)) as { model?: unknown };
  return typeof model === 'string' ? model : undefined;
}

/**
 * Returns the folder of the base model that an adapter names. The name is a Hub id, or a path relative to the current
 * folder (as in PEFT) or to the adapter's folder.
 *
 * @throws UserError if it does not exist, or the adapter names none
 */
export async function resolveBase(
  hub: Hub,
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
  const adapter = hub.disk.within(adapterFolder);
  const isBeside = !hub.disk.has(name) && adapter.has(name);
  try {
    return await hub.resolveModel(isBeside ? adapter.path(name) : name, { onProgress });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `${error.message} ${adapterFolder} names it as its base model. If it is elsewhere, pass --model.`,
    );
  }
}
