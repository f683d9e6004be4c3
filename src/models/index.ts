export type { CommonConfig, EncoderInputs, ModelDefinition } from './model-definition.ts';
export { modelFamily, modelTypes } from './registry.ts';
