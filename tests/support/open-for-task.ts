import type { TaskModel } from '../../src/objectives/task-model.ts';
import type { LoadedModel } from '../../src/program/model-weights.ts';
import { type TaskName, taskNamed } from '../../src/tasks/registry.ts';
import type { BuildTask } from '../../src/tasks/task-definition.ts';
import { describeAs, openModel } from '../../src/trained/node/load-model.ts';

/** What builds a model for so many labels of a task: 2 where nothing is said. */
export function buildFor(task: TaskName, labels = 2): BuildTask {
  return taskNamed(task).build(Array.from({ length: labels }, (_, id) => `LABEL_${id}`));
}

/** A model folder's checkpoint as a model for so many labels of a task. */
export function openForTask(folder: string, task: TaskName, labels?: number): LoadedModel {
  return openModel(folder, buildFor(task, labels));
}

/** The same without its weights. */
export function describeForTask(folder: string, task: TaskName, labels?: number): TaskModel {
  return describeAs(folder, buildFor(task, labels));
}
