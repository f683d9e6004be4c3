import type { TaskType } from '../../src/data/task-type.ts';
import { spanModel } from '../../src/objectives/span-model.ts';
import type { TaskModel } from '../../src/objectives/task-model.ts';
import { type TokenHeadKind, tokenModel } from '../../src/objectives/token-model.ts';
import { notesOfModel } from '../../src/trained/node/adapter-notes.ts';
import { type LoadedModel, loadModel, openModel } from '../../src/trained/node/load-model.ts';
import { named, Skipped, type StoredTensors } from './read-case.ts';

/** The model in a folder with the head that a case asks for; `batch` is one of its batches. */
export function loadCase(folder: string, taskType: string, batch: StoredTensors): LoadedModel<TaskModel> {
  switch (taskType) {
    case 'SEQ_CLS':
      return loadModel(folder, taskOf(folder, named(batch, 'labels').shape));
    case 'QUESTION_ANS':
      return openModel(folder, spanModel);
    default:
      return openModel(folder, tokenModel(taskType as TokenHeadKind));
  }
}

/** The task of a classification head: as its config says, or as transformers infers it. */
function taskOf(folder: string, labels: readonly number[]): TaskType {
  const { task } = notesOfModel(folder);
  if (labels.length < 2) return task;
  if (task === 'regression') throw new Skipped('no head for a regression to several values');
  return 'multi_label_classification';
}
