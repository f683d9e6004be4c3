import { createHash } from 'node:crypto';
import { nearDuplicates } from './near-duplicates.ts';
import type { RawMail } from './read-corpus.ts';

export interface Mail {
  text: string;
  label: RawMail['label'];
}

export interface Split {
  train: Mail[];
  validation: Mail[];
  test: Mail[];
  /**
   * Numbers of e-mails: all, those without text, duplicates, near-duplicates, and duplicates with different
   * labels.
   */
  counts: { mails: number; empty: number; same: number; alike: number; contradicting: number };
}

/**
 * Groups are numbered from 0 to 99. Groups below TRAIN are for training, then those below VALIDATION for
 * validation; the rest is the test set.
 */
const TRAIN = 70;
const VALIDATION = 80;

/**
 * Splits e-mails 70 : 10 : 20 by a hash of their text. Duplicates are removed, and near-duplicates go to the
 * same part, so that the test set is unseen. The split does not depend on the e-mails' order.
 */
export function splitMails(allMails: readonly Mail[]): Split {
  const byText = new Map<string, Mail>();
  const contradicting = new Set<string>();
  for (const mail of allMails) {
    const key = normal(mail.text);
    const before = byText.get(key);
    if (before && before.label !== mail.label) contradicting.add(key);
    if (!before || mail.text < before.text) byText.set(key, mail);
  }
  const empty = allMails.filter(({ text }) => normal(text) === '').length;
  byText.delete('');
  for (const key of contradicting) byText.delete(key);
  const keys = [...byText.keys()].sort();
  const mails = keys.map((key) => byText.get(key) as Mail);
  const group = nearDuplicates(mails.map(({ text }) => text));
  const parts: Pick<Split, 'train' | 'validation' | 'test'> = { train: [], validation: [], test: [] };
  mails.forEach((mail, i) => {
    const share = createHash('sha256').update(keys[group[i]!]!).digest().readUInt32BE() % 100;
    parts[share < TRAIN ? 'train' : share < VALIDATION ? 'validation' : 'test'].push(mail);
  });
  const alike = group.filter((first, i) => first !== i).length;
  const same = allMails.length - empty - mails.length;
  return {
    ...parts,
    counts: { mails: allMails.length, empty, same, alike, contradicting: contradicting.size },
  };
}

function normal(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}]+/gu, ' ')
    .trim();
}
