export type { Engine, EngineOpenOptions } from './engine.ts';
export type { Confusion, Evaluation, ExampleBatch, ExampleSet, Scores } from './example-set.ts';
export { predictAll } from './predict-batches.ts';
export { type Objective, Program } from './program.ts';
export { evaluationGraph, trainingGraph, tunedNetwork } from './training-graph.ts';
export type { LoadedModel, ModelWeights } from './weight-memory.ts';
