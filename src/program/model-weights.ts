import type { Packing } from '../nn/base/frozen-base.ts';
import type { TaskModel } from '../objectives/task-model.ts';
import type { LocateWeight } from '../onnx/lower.ts';
import type { ReadParameter, ReadRange } from '../tuners/tuner.ts';

/** A model whose weights can be read and bound to sessions. */
export type LoadedModel<Model extends TaskModel = TaskModel> = Model & ModelWeights;

export interface ModelWeights {
  /** The real folder of the weight files; empty in a browser. */
  weightFolder: string;
  locate: LocateWeight;
  /** Whether kernels copy the weights into their own layout; by default, the session decides. */
  packing?: Packing;
  /** Reads a parameter, or initialises it if the checkpoint has no fitting one. */
  reader(seed: number): ReadParameter;
  /** Reads a range of a parameter in the checkpoint, as f32. */
  readRange: ReadRange;
  /** Parameters that the checkpoint lacks. */
  initialised: readonly string[];
  close(): void;
}
