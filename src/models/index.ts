export type { CommonConfig, EncoderInputs, Head, HeadKind, ModelDefinition } from './model-definition.ts';
export { modelFamily, modelTypes } from './registry.ts';
