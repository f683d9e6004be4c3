import type { TextFile } from '../../input/data/text-file.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import { UserError } from '../../support/user-error.ts';
import { trainingFiles, validationFiles } from '../../tasks/data-files.ts';
import { maxLengthOf } from '../../tasks/registry.ts';
import { methodOf } from '../../training/run/config/method-of.ts';
import type { ParsedConfig } from '../../training/run/config/run-config.ts';
import type { Family } from '../../use/trained/bind-model.ts';
import { buildModel, type DescribedModel } from '../../use/trained/read-model.ts';
import { configForTexts } from '../../use/trained/trained-parts.ts';
import { beginRun, type RunBeginning, type RunMaterial } from './begin-run.ts';

/** A run with everything that was read for it. */
export interface ReadRun<File extends TextFile = TextFile> extends RunBeginning {
  base: DescribedModel;
  /** Builds the model that is trained: the base with the task's head. */
  model(): TaskModel;
  /** The files of training and validation data. */
  dataFiles: readonly File[];
}

/**
 * Reads the data and its classes, and all of the model except its weights.
 *
 * @param base the model that the config names
 * @param filesAt returns the files under a name in the config; `key` is the config's key that names them
 * @throws UserError like {@link beginRun}, and for missing and damaged files
 */
export async function readMaterial<File extends TextFile>(
  given: Pick<RunMaterial, 'config' | 'start' | 'ownScores' | 'functions'>,
  base: DescribedModel,
  filesAt: (name: string, key: string) => Promise<readonly File[]>,
): Promise<ReadRun<File>> {
  const { config } = given;
  const { data } = config;
  const family = shortenedFamily(base.family, config);
  const train = await Promise.all(
    trainingFiles(data).map(async (name) => ({ name, files: await filesAt(name, 'data.train') })),
  );
  const validation = await Promise.all(
    validationFiles(data.validation).map(async ({ name, path }) => ({
      name,
      files: await filesAt(path, 'data.validation'),
    })),
  );
  const { requested, key } = maxLengthOf(config.task, data, family.config);
  const modality = base.modality(family.config, requested, key);
  const { generationFiles } = base;
  const loaded = (sets: typeof train) =>
    Promise.all(
      sets.map(async ({ name, files }) => ({ name, files: await modality.withContent(files, data) })),
    );
  const sets = { train: await loaded(train), validation: await loaded(validation) };
  const run = beginRun({ ...given, family, modality, generationFiles, ...sets });
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
  const { definition: method, settings } = methodOf(run);
  const count = method.virtualTokens?.(settings).count ?? 0;
  const shortened = configForTexts(config, count);
  if (shortened.maxLength > 0) return { definition, config: shortened };
  throw new UserError({
    key: `${run.method}.num_virtual_tokens`,
    fault: `is ${count}, but the model has only ${config.maxLength} positions`,
  });
}
