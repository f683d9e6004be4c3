import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '../../formats/node/read-text.ts';
import { knowsPooling } from '../../hub/node/cache.ts';
import { PLAIN_SENTENCE, type SentenceSettings } from '../../models/sentence-settings.ts';
import { SENTENCE_FILES, sentenceSettings } from '../sentence-files.ts';

/**
 * Reads the settings in sentence-transformers' files of a model folder. Undefined without these files. If a Hub
 * snapshot may lack them, the pooling is unknown.
 */
export function readSentence(folder: string): SentenceSettings | undefined {
  if (!knowsPooling(folder)) {
    const unsupported = `the cached snapshot may lack ${SENTENCE_FILES.modules}; it is completed when the Hub can be reached`;
    return { ...PLAIN_SENTENCE, unsupported };
  }
  return sentenceSettings((name) => {
    const path = join(folder, name);
    return existsSync(path) ? readJson(path, 'a file of sentence-transformers') : undefined;
  }, folder);
}
