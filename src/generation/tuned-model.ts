import type { TaskModel } from '../objectives/task-model.ts';
import type { Engine } from '../program/engine.ts';
import type { Tuner } from '../tuners/tuner.ts';

/** A model under a tuner, and where it runs. */
export interface TunedModel {
  engine: Engine;
  model: TaskModel;
  tuner: Tuner;
  values: Float32Array;
}
