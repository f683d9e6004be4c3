import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { disk, folderFiles } from '../../../input/formats/node/folder-files.ts';
import { assertLocked } from '../../../input/store/node/folder-lock.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import { ALONE_PROCESSES } from '../../../program/parallel/communicator.ts';
import { peakMemoryMb, programVersion } from '../../../support/node/process-status.ts';
import { runFolderLock } from '../../../training/run/node/run-folder.ts';
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
  decoders: { image: async (...file) => (await modelFolders()).machine.decoders.image(...file) },
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
