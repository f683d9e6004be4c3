import { join } from 'node:path';
import { atomicWrite } from '../../src/input/store/node/atomic-write.ts';
import { messageText } from './mail/message-text.ts';
import { readCorpus } from './mail/read-corpus.ts';
import { type Mail, type Split, splitMails } from './mail/split-mails.ts';

/** Writes train.jsonl, validation.jsonl and test.jsonl into a folder. */
export function writeData(folder: string): Split {
  const mails = readCorpus().map(({ source, label }): Mail => ({ text: messageText(source), label }));
  const split = splitMails(mails);
  for (const part of ['train', 'validation', 'test'] as const) {
    const lines = split[part].map(({ text, label }) => `${JSON.stringify({ label, text })}\n`);
    atomicWrite(join(folder, `${part}.jsonl`), lines.join(''));
  }
  return split;
}
