export type { HeadKind } from './heads/registry.ts';
export type { CommonConfig, Head, ModelDefinition, ModelInputs } from './model-definition.ts';
export { modelFamily, modelTypes } from './registry.ts';
