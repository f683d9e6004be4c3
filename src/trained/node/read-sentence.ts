import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '../../formats/node/read-text.ts';
import type { SentenceSettings } from '../../models/sentence-settings.ts';
import { sentenceSettings } from '../sentence-files.ts';

/** What the files of sentence-transformers in a model's folder say; undefined without them. */
export function readSentence(folder: string): SentenceSettings | undefined {
  return sentenceSettings((name) => {
    const path = join(folder, name);
    return existsSync(path) ? readJson(path, 'a file of sentence-transformers') : undefined;
  }, folder);
}
