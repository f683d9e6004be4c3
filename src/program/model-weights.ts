import type { Packing } from '../nn/base/frozen-base.ts';
import type { TaskModel } from '../objectives/task-model.ts';
import type { LocateWeight } from '../onnx/lower.ts';
import type { ReadParameter, ReadRange } from '../tuners/tuner.ts';

/** A model whose weights can be read, and bound to sessions. */
export type LoadedModel<Model extends TaskModel = TaskModel> = Model & ModelWeights;

export interface ModelWeights {
  /** The real folder of the weight files; in a browser, which has none, empty. */
  weightFolder: string;
  locate: LocateWeight;
  /** Whether kernels copy the weights into an order of their own; where it is not said, a session's opener decides. */
  packing?: Packing;
  /** Reads a parameter, or initialises it where the checkpoint has none that fits. */
  reader(seed: number): ReadParameter;
  /** Of a parameter that the checkpoint has, as f32. */
  readRange: ReadRange;
  /** Parameters that the checkpoint lacks. */
  initialised: readonly string[];
  close(): void;
}
