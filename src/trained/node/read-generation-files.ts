import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '../../formats/node/read-text.ts';
import type { GenerationSources } from '../../generation/generation-settings.ts';
import { readModelConfig } from './load-model.ts';

/**
 * Maximum size of a file. Most have a few kilobytes. With a list of suppressed tokens, a file has tens of kilobytes.
 */
const MAX_BYTES = 2 ** 22;

/** Reads a model folder's generation settings from generation_config.json or, if it is missing, config.json. */
export function readGenerationFiles(folder: string): Omit<GenerationSources, 'user'> {
  const path = join(folder, 'generation_config.json');
  if (!existsSync(path)) return { modelConfig: readModelConfig(folder) };
  return { generationConfig: readJson(path, 'a generation config', MAX_BYTES) };
}
