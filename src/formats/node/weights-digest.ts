import { createHash } from 'node:crypto';
import { weightFiles } from './checkpoint.ts';
import { contentDigest } from './content-digest.ts';

/**
 * What tells the weights of a model folder from others, wherever it lies: see {@link contentDigest}.
 *
 * @throws UserError for a folder without weights
 */
export function weightsDigest(folder: string): string {
  const hash = createHash('sha256');
  for (const file of weightFiles(folder)) hash.update(contentDigest(file));
  return hash.digest('hex');
}
