export { type LabelKind, labelledTexts } from './labelled-texts/labelled-texts.ts';
export type { Prediction } from './prediction.ts';
export {
  type DefinedTasks,
  defineTask,
  TASK_NAMES,
  TASKS,
  type TaskName,
  taskNamed,
} from './registry.ts';
export { scoreKind } from './regression/definition.ts';
export type { BaseData, EncodingContext, ReadingOf, TaskDefinition } from './task-definition.ts';
export type { TaskWords } from './task-words.ts';
