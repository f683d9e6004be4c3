import { ParameterLayout } from './parameter-layout.ts';
import type { TunedValues, Tuner } from './tuner.ts';

/** A model without an adapter: nothing is trained, and its weights never pass through JavaScript. */
const frozen: Tuner = {
  layout: new ParameterLayout([]),
  sites: [],
  initialValues: () => new Float32Array(0),
  inject: () => ({ parameter: () => undefined, increments: (paths) => paths.map(() => undefined) }),
  merged: (_, readBase) => readBase,
};

/** Replaces an adapter if there is none. */
export const FROZEN: TunedValues = { tuner: frozen, values: new Float32Array(0) };
