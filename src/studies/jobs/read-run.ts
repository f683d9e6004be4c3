import { textInMemory } from '../../input/data/rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { ADAPTER_CONFIG } from '../../input/formats/adapters/adapter-files.ts';
import { adapterFileNames, readStoredAdapter } from '../../input/formats/adapters/read-stored-adapter.ts';
import type { StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import { textDigest } from '../../input/formats/byte-source.ts';
import { digestsIn, type FileDigest, type Files, missingIn } from '../../input/formats/files.ts';
import { EMBEDDED_MODEL } from '../../input/hub/model-id.ts';
import { NO_TARGETS } from '../../methods/tuners/peft/settings.ts';
import { findKind, METHOD_NAMES, methodNamed, moduleOfMethod } from '../../methods/tuners/registry.ts';
import { assertedFormat } from '../../program/bases/base-format.ts';
import type { OwnFunctions } from '../../program/objectives/own-function.ts';
import type { OwnScores } from '../../program/own-scores.ts';
import { lazy } from '../../support/options.ts';
import { UserError } from '../../support/user-error.ts';
import { trainingFiles, validationFiles } from '../../tasks/data-files.ts';
import { findMaxLength, moduleOfTask, type TaskName, taskNamed } from '../../tasks/registry.ts';
import { type TaskPreparation, withContents } from '../../tasks/task-definition.ts';
import { readMethod } from '../../training/run/config/read-method.ts';
import type { ParsedConfig } from '../../training/run/config/run-config.ts';
import { fittingBase } from '../../use/trained/fitting-base.ts';
import { DESCRIBING_FILES } from '../../use/trained/full-model.ts';
import { readNotes } from '../../use/trained/notes.ts';
import { buildModel, readModel } from '../../use/trained/read-model.ts';
import { beginRun, type ReadRun, type StartingAdapter } from './begin-run.ts';
import type { OnDownload, RunMachine } from './machine.ts';
import type { TextsInMemory } from './rows-in-memory.ts';
import { withTeaching } from './teach-rows.ts';

/** The values that the calling program passes to a run in memory. */
export interface InMemory {
  /** Data by name. The config contains the names instead of the data. */
  texts?: TextsInMemory;
  ownScores?: OwnScores | undefined;
  functions?: OwnFunctions;
}

/**
 * Reads the starting adapter, finds the model, and reads the data and its classes. Weights are not read.
 *
 * @throws UserError for the first problem
 */
export async function readRun(
  machine: RunMachine,
  parsed: ParsedConfig,
  { texts = {}, ...own }: InMemory = {},
  onDownload?: OnDownload,
): Promise<ReadRun> {
  const { config, start, adapter } = await readStart(machine, parsed);
  const { model: name, model_config: changes, task, data } = config;
  assertModelNamed(name, task);
  const definition = taskNamed(task);
  const pools = definition.prediction?.vectors !== undefined;
  const described = await machine.model(name, { changes, pools, onDownload });
  const base = await readModel(described, machine.decoders);
  const { family } = base;
  const { takesFolders } = definition.files;
  const find = (path: string, key: string) =>
    Object.hasOwn(texts, path)
      ? [{ ...textInMemory(path, texts[path]!), openContent: machine.openContent }]
      : machine.data(data, path, { takesFolders, key, onDownload });
  const train = await Promise.all(
    trainingFiles(data).map(async (name) => ({ name, files: await find(name, 'data.train') })),
  );
  const validation = await Promise.all(
    validationFiles(data.validation).map(async ({ name, path }) => ({
      name,
      files: await find(path, 'data.validation'),
    })),
  );
  const { requested, key } = findMaxLength(task, data, family.config);
  const modality = base.modality(family.config, requested, key);
  const { generationFiles } = base;
  const loaded = (sets: typeof train) =>
    Promise.all(
      sets.map(async ({ name, files }) => ({
        name,
        files: await withContents(files, definition, modality, data),
      })),
    );
  const sets = { train: await loaded(train), validation: await loaded(validation) };
  const run = beginRun({ config, start, ...own, family, modality, generationFiles, ...sets });
  const model = () => buildModel(run.build, base);
  // Fails early, before the weights are read, if no weight of the model can be stored in this type.
  const { base_dtype: dtype } = run.config;
  if (dtype !== 'float32') assertedFormat(model(), dtype);
  const dataFiles = [...sets.train, ...sets.validation].flatMap(({ files }) => files);
  const read = { ...run, base, model };
  const weightDigests = lazy(() => machine.weightDigests(read));
  const digests = async () => [
    ...(await listDigests(machine, read, dataFiles, adapter)),
    ...(await weightDigests()),
  ];
  return withTeaching(machine, { ...read, weightDigests, digests });
}

/** The computation of a run before the first step, or undefined without one. */
export function neededPreparation({ task, data }: ReadRun['config']): TaskPreparation | undefined {
  const { preparation } = taskNamed(task);
  return preparation?.isNeeded?.(data) === false ? undefined : preparation;
}

/** The digests of everything but the weights that determines a run's values. */
async function listDigests(
  machine: RunMachine,
  { config, start, base }: Pick<ReadRun, 'config' | 'start' | 'base'>,
  data: readonly TextFile[],
  adapter: Files | undefined,
): Promise<FileDigest[]> {
  const ofFile = async (file: TextFile) => [file.name, await dataDigest(file, machine)] as const;
  const preparation = neededPreparation(config);
  const ofAdapter = adapter && start && (await adapterFileNames(adapter, start.stored));
  return [
    ...(await Promise.all(data.map(ofFile))),
    ...(adapter && ofAdapter ? await digestsIn(adapter, ofAdapter) : []),
    ...definingModules(config, machine),
    ...(preparation ? [['preparation', preparation.name] satisfies FileDigest] : []),
    ...(await digestsIn(base.files, DESCRIBING_FILES)),
  ];
}

/** Identifies the rows of a file, and the files that they name. */
function dataDigest(file: TextFile, machine: RunMachine): string | Promise<string> {
  if (file.contents) {
    const digests = [...file.contents].map(([name, content]) =>
      content instanceof Error ? name : `${name} ${content.digest}`,
    );
    const read = () => [file.read(() => {}), ...digests.sort()].join('\n');
    return textDigest({ ...file, read }, machine.newHash());
  }
  return file.digest?.() ?? textDigest(file, machine.newHash());
}

/** The digests of the modules that define the run's method and task, if these are not built in. */
function definingModules({ method, task }: ParsedConfig, machine: RunMachine): FileDigest[] {
  const urls = [...new Set([moduleOfMethod(method), moduleOfTask(task)])].filter((url) => url !== undefined);
  return urls.map((url) => [
    url,
    machine.moduleDigest?.(url) ?? textDigest(textInMemory(url, url), machine.newHash()),
  ]);
}

/** Throws a UserError if the model is the default one, and the task cannot use it. */
function assertModelNamed(model: string, task: TaskName): void {
  const { modelToTry } = taskNamed(task).training;
  if (model !== EMBEDDED_MODEL || modelToTry === undefined) return;
  throw new UserError({
    key: 'model',
    fault: `is required for task ${task}, because the built-in encoder cannot generate text`,
    hint: `Set model to a folder or a Hub id, for example ${modelToTry}.`,
  });
}

/**
 * Reads the adapter that a config names, if any, and completes the config from it.
 *
 * @throws UserError for an adapter of another method or task, and for config keys that contradict it
 */
async function readStart(
  machine: RunMachine,
  userConfig: ParsedConfig,
): Promise<{ config: ParsedConfig; start?: StartingAdapter; adapter?: Files }> {
  const { adapter: name } = userConfig;
  if (name === undefined) return { config: userConfig };
  const adapter = await machine.adapter(name);
  const stored = await readStoredAdapter(adapter, machine.maxAdapterBytes);
  if (!stored) throw missingIn(adapter, ADAPTER_CONFIG, 'the configuration of an adapter');
  const notes = await readNotes(adapter);
  const config = continuedConfig(userConfig, stored);
  if (notes && !fitsTask(notes.task, config.task)) {
    const got = config.task;
    throw new UserError({ key: 'task', expected: `${notes.task}, the task of the adapter`, got });
  }
  fittingBase(notes, config.base_dtype, `adapter: ${name}`);
  return { config, start: { stored, notes }, adapter };
}

/** Whether a task continues the adapters of another one: both train the same head, which is the model's own. */
function fitsTask(before: TaskName, now: TaskName): boolean {
  const [a, b] = [taskNamed(before), taskNamed(now)];
  return before === now || (b.training.keepsHead === true && a.words.hub.pipeline === b.words.hub.pipeline);
}

/**
 * Completes the config of a run that continues an adapter: keys missing in the method's section get the adapter's
 * values. A completed config stays unchanged.
 *
 * @throws UserError for an adapter of another method, and for keys that contradict the adapter (all are named)
 */
export function continuedConfig<Config extends ParsedConfig>(config: Config, adapter: StoredAdapter): Config {
  const where = `adapter: ${config.adapter}`;
  const { definition, settings } = readMethod(config);
  if (adapter.config.target_modules === NO_TARGETS) {
    const hint = 'Remove the key `adapter` and train from the base model.';
    throw new UserError({ where, fault: 'adapts no module, because its run kept a frozen model', hint });
  }
  const kind = findKind(adapter, where);
  if (definition.kind !== kind || !definition.continues) {
    const methods = METHOD_NAMES.filter((name) => {
      const other = methodNamed(name);
      return other.kind === kind && other.continues;
    });
    throw new UserError({
      where,
      fault: `is an adapter of method ${kind.name}, not ${config.method}`,
      hint:
        methods.length > 0
          ? `Set method: ${methods[0]}.`
          : `Training cannot continue from such an adapter.${kind.unmergeable === undefined ? ' Merge it (adalora export --as merged) and set model to the result.' : ''}`,
    });
  }
  return { ...config, [config.method]: definition.continues.section(settings, adapter, where) };
}
