import type { TaskModel } from '../objectives/task-model.ts';
import type { Engine } from '../program/engine.ts';
import type { Tuner } from '../tuners/tuner.ts';

/** A model with a tuner, and the engine that runs it. */
export interface TunedModel {
  engine: Engine;
  model: TaskModel;
  tuner: Tuner;
  values: Float32Array;
}
