import type { ReadParameter, TunableModel } from '../tuner.ts';

/** A model, and the weights of its base. */
export interface Base extends Pick<TunableModel, 'linears' | 'parameters'> {
  reader(seed: number): ReadParameter;
}

/** Reads parameters of the base by name; undefined for a name that it does not have. */
export function baseParameters(model: Base): (name: string) => Float32Array | undefined {
  return (name) => {
    const shape = model.parameters.get(name);
    return shape && model.reader(0)(name, shape);
  };
}
