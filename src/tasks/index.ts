export type { Prediction } from './prediction.ts';
export { TASK_NAMES, TASKS, type TaskName, taskNamed } from './registry.ts';
export type { BaseData, EncodingContext, ReadingOf, TaskDefinition } from './task-definition.ts';
export type { TaskWords } from './task-words.ts';
