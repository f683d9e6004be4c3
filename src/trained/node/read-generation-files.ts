import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseBoundedJson } from '../../formats/bounded-json.ts';
import { UserError } from '../../support/user-error.ts';
import { readModelConfig } from './load-model.ts';
import type { GenerationSources } from '../../generation/generation-settings.ts';

/** Some kilobytes; those of speech models, with lists of tokens to suppress, have tens. */
const MAX_BYTES = 2 ** 22;
/** A list of lists of tokens lies at depth 3, and sections of other programs at few more. */
const LIMITS = { depth: 32, values: 1_000_000 };

/** What a model's folder says of generation: generation_config.json, or config.json where that is absent. */
export function readGenerationFiles(folder: string): Omit<GenerationSources, 'user'> {
  const path = join(folder, 'generation_config.json');
  if (!existsSync(path)) return { modelConfig: readModelConfig(folder) };
  const { size } = statSync(path);
  if (size > MAX_BYTES) {
    throw new UserError({ where: path, expected: `at most ${MAX_BYTES} bytes`, got: `${size}` });
  }
  return { generationConfig: parseBoundedJson(readFileSync(path), LIMITS, path) };
}
