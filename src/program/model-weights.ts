import type { LocateWeight } from '../engine/onnx/lower.ts';
import type { ReadParameter, ReadRange } from '../methods/tuners/tuner.ts';
import type { Packing } from '../models/nn/base/frozen-base.ts';
import type { TaskModel } from './objectives/task-model.ts';

/** A model whose weights can be read and bound to sessions. */
export type LoadedModel<Model extends TaskModel = TaskModel> = Model & ModelWeights;

export interface ModelWeights {
  /** The real path of the folder with the weight files; empty in a browser. */
  weightFolder: string;
  locate: LocateWeight;
  /** Whether kernels copy the weights into their own layout. By default, the session decides. */
  packing?: Packing;
  /** Returns a function that reads a parameter. If the checkpoint has no parameter that fits, it is initialized. */
  reader(seed: number): ReadParameter;
  /** Reads a range of a parameter from the checkpoint, as float32. */
  readRange: ReadRange;
  /** Names of the parameters that the checkpoint lacks. */
  initialised: readonly string[];
  close(): void;
}
