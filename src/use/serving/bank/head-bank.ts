import type { Tuner } from '../../../methods/tuners/tuner.ts';
import type { Engine } from '../../../program/engine.ts';
import type { TaskModel } from '../../../program/objectives/task-model.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { closing, type ServedBase } from '../served-base.ts';
import type { BankShape } from './bank-shape.ts';
import { bankedGraph } from './banked-graph.ts';
import { type BankSession, GrowingBank } from './growing-bank.ts';

/** Opens a session with a model and a bank of this shape. */
export type OpenBank<Made> = (engine: Engine, model: LoadedModel, shape: BankShape) => Promise<Made>;

/**
 * The bank for all adapters of one model: with its head and its config.
 *
 * @param build builds its graph, to check whether an adapter can share it
 */
export function headBank<Made extends BankSession>(
  base: ServedBase,
  like: TaskModel,
  open: OpenBank<Made>,
  build: (model: LoadedModel, tuner: Tuner) => unknown,
): GrowingBank<Made> {
  return new GrowingBank(
    async (shape, outputs) => {
      const model = await base.open(like, outputs);
      return closing(model, async () => open(base.engine(model), model, shape));
    },
    async (shape, outputs) => {
      const model = await base.open(like, outputs);
      try {
        bankedGraph(model, shape, (tuner) => build(model, tuner), 1);
      } finally {
        model.close();
      }
    },
  );
}
