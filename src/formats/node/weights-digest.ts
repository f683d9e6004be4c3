import { createHash } from 'node:crypto';
import { weightFiles } from './checkpoint.ts';
import { contentDigest } from './content-digest.ts';

/**
 * Identifies a model folder's weights by their content: see {@link contentDigest}.
 *
 * @param digest returns a file's digest; pass it to reuse known digests
 * @throws UserError for a folder without weights
 */
export function weightsDigest(folder: string, digest: (file: string) => string = contentDigest): string {
  const hash = createHash('sha256');
  for (const file of weightFiles(folder)) hash.update(digest(file));
  return hash.digest('hex');
}
