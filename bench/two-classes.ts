import { TASKS } from '../src/tasks/registry.ts';

/** Builds a classifier of two classes, which is what steps are measured of. */
export const TWO_CLASSES = TASKS.single_label_classification.build(['0', '1']);
