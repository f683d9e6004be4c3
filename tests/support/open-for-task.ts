import type { TaskModel } from '../../src/program/objectives/task-model.ts';
import type { LoadedModel } from '../../src/program/weight-memory.ts';
import { type TaskName, taskNamed } from '../../src/tasks/registry.ts';
import type { BuildTask } from '../../src/tasks/task-definition.ts';
import { describeIn, openIn } from './describe-in.ts';

/**
 * Returns a function that builds a model for a task with `labels` labels. Default: as many as the checkpoint's head
 * has.
 */
export function buildFor(task: TaskName, labels?: number): BuildTask {
  return (definition, config) => {
    const names = Array.from({ length: labels ?? config.numLabels }, (_, id) => `LABEL_${id}`);
    return taskNamed(task).build(names)(definition, config);
  };
}

/** Opens a model folder's checkpoint as a model for a task. */
export function openForTask(folder: string, task: TaskName, labels?: number): LoadedModel {
  return openIn(folder, buildFor(task, labels));
}

/** Like {@link openForTask}, but without weights. */
export function describeForTask(folder: string, task: TaskName, labels?: number): TaskModel {
  return describeIn(folder, buildFor(task, labels));
}
