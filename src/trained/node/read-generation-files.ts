import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '../../formats/node/read-text.ts';
import type { GenerationSources } from '../../generation/generation-settings.ts';
import { readModelConfig } from './load-model.ts';

/** Typically a few kilobytes; speech models, with lists of suppressed tokens, have tens. */
const MAX_BYTES = 2 ** 22;

/** A model folder's generation settings: generation_config.json, or config.json if that is absent. */
export function readGenerationFiles(folder: string): Omit<GenerationSources, 'user'> {
  const path = join(folder, 'generation_config.json');
  if (!existsSync(path)) return { modelConfig: readModelConfig(folder) };
  return { generationConfig: readJson(path, 'a generation config', MAX_BYTES) };
}
