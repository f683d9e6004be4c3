import { textFile, textFiles } from '../../data/node/text-files.ts';
import type { TaskName } from '../../data/task-type.ts';
import type { Device } from '../../runtime/session.ts';
import { TASK_SETTINGS } from '../../run/config/task-settings.ts';
import type { Scores } from '../../program/example-set.ts';
import { Program } from '../../program/program.ts';
import { runTask } from '../../tasks/registry.ts';
import type { ReadingOf } from '../../tasks/task-definition.ts';
import { nodeEngine } from '../../program/node/node-engine.ts';
import { contextOf, type TrainedModel } from './open-trained.ts';

/**
 * Scores a trained model on a file (a language model also on a folder of files).
 *
 * @param reading replaces how its run read files
 * @throws UserError as a run does for its validation data
 */
export async function evaluateTrained(
  trained: TrainedModel,
  path: string,
  reading: Partial<ReadingOf<TaskName>>,
  device: Device = 'cpu',
): Promise<Scores> {
  const { model, notes, tuner, values } = trained;
  const task = runTask(notes.task);
  const context = contextOf(trained, reading);
  const rows = task.read(task.takesFolders ? textFiles(path) : [textFile(path)], context.reading);
  const evaluation = task.evaluation(rows, context, TASK_SETTINGS[notes.task].batchSize.eval);
  const program = new Program(nodeEngine(model, device), model, tuner);
  try {
    return await evaluation.run(program, values);
  } finally {
    await program.release();
  }
}
