import { createHash } from 'node:crypto';
import { weightFiles } from './checkpoint.ts';
import { contentDigest } from './content-digest.ts';

/**
 * What tells the weights of a model folder from others, wherever it lies: see {@link contentDigest}.
 *
 * @param digest of a file, where it is known already
 * @throws UserError for a folder without weights
 */
export function weightsDigest(folder: string, digest: (file: string) => string = contentDigest): string {
  const hash = createHash('sha256');
  for (const file of weightFiles(folder)) hash.update(digest(file));
  return hash.digest('hex');
}
