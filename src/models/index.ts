export type { CommonConfig, Head, HeadKind, ModelDefinition, ModelInputs } from './model-definition.ts';
export { modelFamily, modelTypes } from './registry.ts';
