import { releasing } from '../../support/opened.ts';
import { modelFeeds } from '../objectives/model-inputs.ts';
import { TRAINED } from '../training-graph.ts';
import { virtualGraph } from './cached-graph.ts';
import type { TunedModel } from './language-model.ts';

/** The initial cache: keys and values [tokens, width] by its names. */
export type VirtualStates = ReadonlyMap<string, Float32Array>;

/** Computes the keys and values of a tuner's virtual tokens; undefined for a tuner without such tokens. */
export async function virtualStates({
  engine,
  model,
  tuner,
  values,
}: TunedModel): Promise<VirtualStates | undefined> {
  const outputs = virtualGraph(model, tuner);
  if (!outputs) return undefined;
  const session = await engine.open(outputs);
  return releasing(session, async () => {
    // The tokens before it do not depend on it.
    const one = { inputIds: new Int32Array(1), tokenTypeIds: new Int32Array(1) };
    const feeds = modelFeeds({ ...one, attentionMask: new Int32Array(1).fill(1), batch: 1, length: 1 });
    const states = await session.run({ ...feeds, [TRAINED]: { data: values, dims: [values.length] } });
    return new Map(Object.entries(states).map(([name, { data }]) => [name, Float32Array.from(data)]));
  });
}
