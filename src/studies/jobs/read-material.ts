import type { TextFile } from '../../input/data/text-file.ts';
import type { StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import type { Files } from '../../input/formats/files.ts';
import { findKind, METHOD_NAMES, methodNamed } from '../../methods/tuners/registry.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import { UserError } from '../../support/user-error.ts';
import { trainingFiles, validationFiles } from '../../tasks/data-files.ts';
import { findMaxLength, taskNamed } from '../../tasks/registry.ts';
import { withContents } from '../../tasks/task-definition.ts';
import { readMethod } from '../../training/run/config/read-method.ts';
import type { ParsedConfig } from '../../training/run/config/run-config.ts';
import type { Family } from '../../use/trained/bind-model.ts';
import { fittingBase } from '../../use/trained/fitting-base.ts';
import { readNotes } from '../../use/trained/notes.ts';
import { buildModel, type DescribedModel } from '../../use/trained/read-model.ts';
import { configForTexts } from '../../use/trained/trained-parts.ts';
import { beginRun, type RunBeginning, type RunMaterial, type StartingAdapter } from './begin-run.ts';

/** A run with everything that was read for it. */
export interface ReadRun<File extends TextFile = TextFile> extends RunBeginning {
  base: DescribedModel;
  /** Builds the model that is trained: the base with the task's head. */
  model(): TaskModel;
  /** The files of training and validation data. */
  dataFiles: readonly File[];
}

/** Finds what a run's config names: on the disks of a machine and on the Hub, or among the files of a page. */
export interface RunSource<File extends TextFile> {
  /** The adapter that training continues. */
  adapter(name: string): Promise<{ stored: StoredAdapter; files: Files }>;
  /** All of the model except its weights. */
  base(config: ParsedConfig): Promise<DescribedModel>;
  /** The files under a name in `data`; `key` is the config's key that names them. */
  data(config: ParsedConfig, name: string, key: string): Promise<readonly File[]>;
}

/**
 * Reads the adapter to continue, the data and its classes, and all of the model except its weights.
 *
 * @throws UserError like {@link beginRun}, and for missing and damaged files
 */
export async function readMaterial<File extends TextFile>(
  parsed: ParsedConfig,
  own: Pick<RunMaterial, 'ownScores' | 'functions'>,
  source: RunSource<File>,
): Promise<ReadRun<File>> {
  const { config, start } = await readStart(parsed, source.adapter);
  const base = await source.base(config);
  const { data } = config;
  const family = shortenedFamily(base.family, config);
  const train = await Promise.all(
    trainingFiles(data).map(async (name) => ({ name, files: await source.data(config, name, 'data.train') })),
  );
  const validation = await Promise.all(
    validationFiles(data.validation).map(async ({ name, path }) => ({
      name,
      files: await source.data(config, path, 'data.validation'),
    })),
  );
  const { requested, key } = findMaxLength(config.task, data, family.config);
  const modality = base.modality(family.config, requested, key);
  const { generationFiles } = base;
  const task = taskNamed(config.task);
  const loaded = (sets: typeof train) =>
    Promise.all(
      sets.map(async ({ name, files }) => ({ name, files: await withContents(files, task, modality, data) })),
    );
  const sets = { train: await loaded(train), validation: await loaded(validation) };
  const run = beginRun({ config, start, ...own, family, modality, generationFiles, ...sets });
  const model = () => buildModel(run.build, base);
  const dataFiles = [...sets.train, ...sets.validation].flatMap(({ files }) => files);
  return { ...run, base, model, dataFiles };
}

/**
 * The family of a run's model with the positions that remain for texts.
 *
 * @throws UserError if the method's own tokens take all of them
 */
function shortenedFamily({ definition, config }: Family, run: ParsedConfig): Family {
  const { definition: method, settings } = readMethod(run);
  const count = method.virtualTokens?.(settings).count ?? 0;
  const shortened = configForTexts(config, count);
  if (shortened.maxLength > 0) return { definition, config: shortened };
  throw new UserError({
    key: `${run.method}.num_virtual_tokens`,
    fault: `is ${count}, but the model has only ${config.maxLength} positions`,
  });
}

/**
 * Reads the adapter that a config names, if any, and completes the config from it.
 *
 * @param open returns an adapter and its files; throws a UserError if it is missing or damaged
 * @throws UserError for an adapter of another method or task, and for config keys that contradict it
 */
async function readStart(
  userConfig: ParsedConfig,
  open: RunSource<TextFile>['adapter'],
): Promise<{ config: ParsedConfig; start?: StartingAdapter }> {
  const { adapter } = userConfig;
  if (adapter === undefined) return { config: userConfig };
  const { stored, files } = await open(adapter);
  const notes = await readNotes(files);
  const config = continuedConfig(userConfig, stored);
  if (notes && notes.task !== config.task) {
    const got = config.task;
    throw new UserError({ key: 'task', expected: `${notes.task}, the task of the adapter`, got });
  }
  fittingBase(notes, config.base_dtype, `adapter: ${adapter}`);
  return { config, start: { stored, notes } };
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
