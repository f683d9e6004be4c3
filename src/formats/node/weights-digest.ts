import { createHash } from 'node:crypto';
import { weightFiles } from './checkpoint.ts';
import { contentDigest } from './content-digest.ts';

/**
 * Identifies the weights of a model folder by their content: see {@link contentDigest}.
 *
 * @param digest returns the digest of a file; pass it to reuse known digests
 * @throws UserError for a folder without weights
 */
export function weightsDigest(folder: string, digest: (file: string) => string = contentDigest): string {
  const hash = createHash('sha256');
  for (const file of weightFiles(folder)) hash.update(digest(file));
  return hash.digest('hex');
}
