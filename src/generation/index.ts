export { type GenerateOptions, generate, streamTokens } from './generate.ts';
export type { Generated } from './generated.ts';
export type { GenerationConfig } from './generation-config.ts';
export {
  type GenerationSettings,
  type GenerationSources,
  generationSettings,
} from './generation-settings.ts';
export type { LanguageModel, ReadOptions } from './language-model.ts';
export { openLanguageModel } from './open-language-model.ts';
export type { GenerateTextOptions, GenerationInput, Prompt } from './prompt.ts';
export type { GeneratedToken } from './sample-tokens.ts';
export type { SearchOptions } from './search.ts';
export { TextGenerator, type TextGeneratorParts } from './text-generator.ts';
export type { TunedModel } from './tuned-model.ts';
