import { textDigest } from '../../input/formats/byte-source.ts';
import { addUp } from '../../support/numbers.ts';
import { UserError } from '../../support/user-error.ts';
import { taskNamed } from '../../tasks/registry.ts';
import { withContents } from '../../tasks/task-definition.ts';
import { chooseEpochs } from '../../training/run/config/defaults/policy.ts';
import type { ReadRun } from './begin-run.ts';
import type { RunMachine, Teacher } from './machine.ts';

/**
 * The epochs of rows that a teacher labels, and the least number of rows that a run sees: fewer than for labeled rows, because there
 * are many texts (bench/log/2026-12-02-soft-labels.md).
 */
const EPOCHS = 3;
const ROWS_SEEN = 6000;

/** Adds the rows without labels to a run, and the teacher's files to what determines its values. */
export async function withTeaching(machine: RunMachine, run: ReadRun): Promise<ReadRun> {
  const { config, modality } = run;
  const { task, data } = config;
  const { teacher, unlabelled: path } = taskNamed(task).teaching?.sources(data) ?? {};
  if (teacher === undefined) return run;
  const refusal = (key: string, fault: string, hint: string) => new UserError({ key, fault, hint });
  if (!machine.teacher) throw refusal('data.teacher', 'needs Node', 'Train with the command, or remove it.');
  if (run.classWeights)
    throw refusal('training.class_weights', 'does not apply to data.teacher', 'Remove one of them.');
  const digests = async () => {
    const ofTeacher = await withTeacher(machine, run, (model) => model.digests());
    return [...(await run.digests()), ...ofTeacher];
  };
  const isOfTraining = run.folds !== undefined || run.rows.isHeldOut;
  const notices = isOfTraining
    ? [
        ...run.notices,
        'If the teacher was trained on these rows, the scores are too high. To judge fairly, set data.validation to a file that it has not seen.',
      ]
    : run.notices;
  if (path === undefined) return { ...run, notices, digests };
  const files = await machine.data(data, path, { takesFolders: false, key: 'data.unlabelled' });
  const { teaching, ...definition } = taskNamed(task);
  const complete = await withContents(files, definition, modality, data);
  const unlabelled = teaching!.read(complete, data);
  const rows = { ...run.rows, train: teaching!.withUnlabelled(run.rows.train, unlabelled) };
  const { length } = teaching!.inputs(unlabelled);
  const trained = (rows.trained ?? 0) + length;
  const key = 'num_train_epochs';
  const tokens =
    modality.tokens ?? Math.min(modality.maxLength, addUp(complete, ({ size }) => size) / length / 4);
  const usual = chooseEpochs({ ...config, model: run.model(), rows: trained, tokens });
  const epochs = Math.min(usual, Math.max(EPOCHS, Math.ceil(ROWS_SEEN / trained)));
  const isChosen = run.chosen.some((one) => one.key === `training.${key}`);
  return {
    ...run,
    notices,
    rows,
    ...(isChosen && {
      config: { ...config, training: { ...config.training, [key]: epochs } },
      chosen: run.chosen.map((one) =>
        one.key === `training.${key}`
          ? { ...one, value: epochs, reason: `${trained.toLocaleString('en')} rows, most without labels` }
          : one,
      ),
    }),
    async digests() {
      const ofRows = complete.map(
        async (file) => [file.name, (await file.digest?.()) ?? textDigest(file, machine.newHash())] as const,
      );
      return [...(await digests()), ...(await Promise.all(ofRows))];
    },
  };
}

/**
 * Opens the teacher of a run for some work.
 *
 * @throws UserError for a teacher of another task
 */
export async function withTeacher<Result>(
  machine: RunMachine,
  { config: { task, data } }: Pick<ReadRun, 'config'>,
  use: (teacher: Teacher) => Promise<Result>,
): Promise<Result> {
  const name = taskNamed(task).teaching!.sources(data).teacher!;
  const model = await machine.teacher!(name);
  try {
    if (model.task === task) return await use(model);
    throw new UserError({ key: 'data.teacher', expected: `a model for ${task}`, got: String(model.task) });
  } finally {
    await model.close();
  }
}
