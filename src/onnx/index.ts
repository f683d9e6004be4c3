export { type LowerOptions, lower, type WeightLocation } from './lower.ts';
export type { Target } from './lowerings.ts';
