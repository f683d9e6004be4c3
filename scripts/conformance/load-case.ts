import { PIXELS, type VisionConfig, withImageSize } from '../../src/models/families/vision/tower.ts';
import type { HeadKind } from '../../src/models/heads/registry.ts';
import { spanModel } from '../../src/program/objectives/span-model.ts';
import type { TaskModel } from '../../src/program/objectives/task-model.ts';
import { tokenModel } from '../../src/program/objectives/token-model.ts';
import type { LoadedModel } from '../../src/program/weight-memory.ts';
import { recognizedTask, taskNamed } from '../../src/tasks/registry.ts';
import type { BuildTask } from '../../src/tasks/task-definition.ts';
import { familyIn, openIn } from '../../tests/support/describe-in.ts';
import { named, Skipped, type StoredTensors } from './read-case.ts';

/**
 * Opens the model in a folder with the head of a case.
 *
 * @param batch one of the case's batches
 */
export function loadCase(folder: string, taskType: string, batch: StoredTensors): LoadedModel<TaskModel> {
  switch (taskType) {
    case 'SEQ_CLS': {
      const build = classifier(folder, named(batch, 'labels').shape);
      const [, , height, width] = batch.get(PIXELS)?.shape ?? [];
      if (height === undefined || width === undefined) return openIn(folder, build);
      return openIn(folder, (definition, config) =>
        build(definition, withImageSize(config as VisionConfig<unknown>, { height, width })),
      );
    }
    case 'QUESTION_ANS':
      return openIn(folder, spanModel);
    default:
      return openIn(folder, tokenModel(taskType as HeadKind));
  }
}

/** The task of a classification head. It is in the config, or else inferred as in transformers. */
function classifier(folder: string, targets: readonly number[]): BuildTask {
  const model = {
    ...familyIn(folder),
    taskType: 'SEQ_CLS',
    architecture: undefined,
    outputsOf: () => undefined,
  };
  const { task, labels } = recognizedTask(model);
  if (targets.length < 2) return taskNamed(task).build(labels);
  if (task === 'regression') throw new Skipped('no head for a regression to several values');
  return taskNamed('multi_label_classification').build(labels);
}
