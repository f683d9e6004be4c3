import type { CommonConfig } from '../models/model-definition.ts';

/** A model's config with the positions that remain for texts after `virtualTokens`. */
export function configForTexts(config: CommonConfig, virtualTokens = 0): CommonConfig {
  return { ...config, maxLength: config.maxLength - virtualTokens };
}
