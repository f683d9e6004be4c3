import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestsIn } from '../../../input/formats/files.ts';
import { disk, folderFiles } from '../../../input/formats/node/folder-files.ts';
import {
  assertLocked,
  LOCK_FILE,
  type LockOptions,
  lockFolder,
} from '../../../input/store/node/folder-lock.ts';
import { isTemporary, makeFolder, removeStale } from '../../../input/store/node/temporary-name.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import { ALONE_PROCESSES } from '../../../program/parallel/communicator.ts';
import { readLaunch } from '../../../program/parallel/launch.ts';
import { parentProcess, peakMemoryMb, programVersion } from '../../../support/node/process-status.ts';
import { UserError } from '../../../support/user-error.ts';
import { RUN_FILES } from '../../../training/run/run-files.ts';
import { type BaseOfRun, type FolderMachine, type OpenedBase, withThreads } from '../machine.ts';

/** The folder of a run's base. In Node, files are named by their folder. */
const folderOf = ({ base }: BaseOfRun) => base.files.name;

/** The models on the disks of this machine. Their code is loaded when it is needed. */
const modelFolders = async () => (await import('../../../use/trained/node/load-model.ts')).models;

/** Files on the disks of this machine and on the Hub. */
export const THIS_NODE: FolderMachine = {
  has: existsSync,
  folder: folderFiles,
  newHash: disk.newHash,
  version: programVersion,
  peakMemoryMb,
  startupMs: () => 1000 * process.uptime(),
  assertLocked,
  lockRun: (output, resume, onWait) => runFolderLock(output, resume, { onWait }),
  moduleDigest: (url) => (url.startsWith('file:') ? disk.digest(fileURLToPath(url)) : undefined),
  async shareFiles(run, to) {
    const { copySharedFiles, sharedFiles } = await import('../../../use/trained/write-form.ts');
    if (to) copySharedFiles(disk, folderOf(run), to);
    else sharedFiles(disk, folderOf(run));
  },
  async joinProcesses() {
    const { joinProcesses } = await import('../../../program/parallel/node/join-processes.ts');
    return joinProcesses();
  },
  async adapter(name) {
    const { machine } = await modelFolders();
    const { locateAdapter } = await import('../../../use/trained/locate-trained.ts');
    return folderFiles((await locateAdapter(machine.hub, name)).folder);
  },
  async model(name, { changes, pools, onDownload } = {}) {
    const models = await modelFolders();
    const folder = await models.machine.hub.resolveModel(name, { pools, onProgress: onDownload });
    return models.describe(folder, changes);
  },
  async teacher(name) {
    const models = await modelFolders();
    const { locateTrained } = await import('../../../use/trained/locate-trained.ts');
    const files = folderFiles((await locateTrained(models.machine.hub, name)).folder);
    const defining = files.list().filter((file) => /\.(safetensors|bin|json)$/.test(file));
    const model = await models.open(name);
    return {
      task: model.task,
      digests: () => digestsIn(files, defining),
      predict: (inputs) => model.predict<object, object>(inputs),
      close: () => model.close(),
    };
  },
  decoders: {
    image: async (...file) => (await modelFolders()).machine.decoders.image(...file),
    audio: async (...file) => (await modelFolders()).machine.decoders.audio(...file),
  },
  data: async (section, name, { takesFolders, onDownload }) =>
    (await modelFolders()).machine.data.open(section, name, takesFolders, onDownload),
  async weightDigests(run) {
    if (run.config.model_init === 'random') return [];
    const { weightFiles } = await import('../../../input/formats/open-checkpoint.ts');
    return weightFiles(disk, folderOf(run)).map((path) => [path, disk.digest(path)]);
  },
  async open(run, processes, progress) {
    const { config, model } = run;
    if (config.model_init === 'random') {
      const { newModel } = await import('../../../use/trained/bind-model.ts');
      return withEngine(run, newModel(model(), folderOf(run)), processes);
    }
    const models = await modelFolders();
    const { withBaseDtype } = await import('../../../program/bases/with-base-dtype.ts');
    const opened = models.openWeights(folderOf(run), model());
    const onWritten = progress('base');
    const based = await withBaseDtype(models.machine, opened, config.base_dtype, { onWritten });
    return withEngine(run, based, processes);
  },
  async openFloat32(run, processes = withThreads(run.config, ALONE_PROCESSES)) {
    const models = await modelFolders();
    return withEngine(run, models.openWeights(folderOf(run), run.model()), processes);
  },
};

function withEngine(
  { config }: BaseOfRun,
  model: OpenedBase['model'],
  { threads, sharesHost }: Parameters<FolderMachine['open']>[1],
): OpenedBase {
  return { model, engine: nodeEngine(model, config.device, { threads, sharesHost }) };
}

/**
 * Checks, before anything is loaded, whether a run can be written to a folder. It does not create anything. A folder with
 * files is locked while these are read, because they must not change.
 *
 * @throws UserError if the folder cannot be created or written to, contains files and is not a run to `resume`, or is
 * locked by another run
 */
function runFolderLock(folder: string, resume: boolean, options: LockOptions) {
  checkRunFolder(folder, resume);
  const seen = listContent(folder);
  let release = seen.length > 0 ? lockRun(folder, options) : undefined;
  return {
    /** Creates the folder and locks it, unless it existed. Removes the remains of killed processes. */
    take(): void {
      release ??= takeRunFolder(folder, seen, options);
      const checkpoints = join(folder, RUN_FILES.checkpoints);
      asked(folder, () => {
        makeFolder(checkpoints);
        for (const path of [folder, checkpoints]) removeStale(path);
      });
    },
    release: () => release?.(),
  };
}

function checkRunFolder(folder: string, resume: boolean): void {
  const where = `output: ${folder}`;
  const stats = readStats(folder);
  if (!stats) {
    checkWritable(nearestAbove(resolve(folder)), where);
    return;
  }
  if (!stats.isDirectory())
    throw new UserError({ where, fault: 'is a file', hint: 'Pass a folder.', code: 'file_system' });
  const entries = listContent(folder);
  if (entries.length > 0 && !resume)
    throw takenFolder(
      where,
      'is not empty',
      'Pass --resume to continue the run, or -o to choose another folder.',
    );
  // A run that was killed before its first checkpoint has only the folder `checkpoints`.
  if (!entries.includes(RUN_FILES.config) && entries.some((name) => name !== RUN_FILES.checkpoints))
    throw takenFolder(where, 'has other files but no config.yaml of a run');
  checkWritable(folder, where);
}

/** Names of the entries in a run's folder, without its lock and temporary files; empty if the folder does not exist. */
function listContent(folder: string): string[] {
  if (!readStats(folder)) return [];
  return readdirSync(folder).filter((name) => name !== LOCK_FILE && !isTemporary(name));
}

/**
 * Makes this thread the only writer of a run's folder, which must exist. See {@link lockFolder}.
 *
 * @returns a function that unlocks it
 * @throws UserError if another run holds the lock
 */
export function lockRun(folder: string, options?: LockOptions): () => void {
  const launch = readLaunch(process.env);
  const launcher = launch && launch.size !== 1 ? process.ppid : parentProcess();
  return lockFolder(folder, { launcher, ...options });
}

/**
 * Creates the folder and locks it.
 *
 * @param seen its entries when it was checked
 * @returns a function that unlocks it
 * @throws UserError if another run holds the lock or has since started in it, or if the system refuses
 */
function takeRunFolder(folder: string, seen: readonly string[], options: LockOptions): () => void {
  const release = asked(folder, () => {
    makeFolder(folder);
    return lockRun(folder, options);
  });
  if (listContent(folder).join('/') === seen.join('/')) return release;
  release();
  throw takenFolder(`output: ${folder}`, 'already contains another run');
}

function takenFolder(where: string, fault: string, hint = 'Choose another folder as output.'): UserError {
  return new UserError({ where, fault, hint, code: 'already_exists' });
}

function asked<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw refused(`output: ${folder}`, error);
  }
}

function nearestAbove(path: string): string {
  return readStats(path) ? path : nearestAbove(dirname(path));
}

function checkWritable(folder: string, where: string): void {
  if (!statSync(folder).isDirectory()) {
    throw new UserError({ where, fault: `cannot be made, because ${folder} is a file`, code: 'file_system' });
  }
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw refused(where, error);
  }
}

function refused(where: string, error: unknown): UserError {
  const { code } = error as NodeJS.ErrnoException;
  return new UserError({ where, fault: `is not writable (${code})`, code: 'file_system' });
}

function readStats(path: string) {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
