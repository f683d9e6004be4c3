import { addUp } from '../../support/numbers.ts';
import { editDistance } from '../../support/text.ts';

/** The errors of a transcript, and the length of its reference. */
interface Errors {
  errors: number;
  length: number;
}

/** The wrong, missing and added words of a transcript, split at white space as in jiwer. */
export function wordErrors(text: string, reference: string): Errors {
  const [ours, theirs] = [text, reference].map(splitWords) as [string[], string[]];
  return { errors: editDistance(ours, theirs), length: theirs.length };
}

/** The wrong, missing and added characters of a transcript. */
export function characterErrors(text: string, reference: string): Errors {
  const [ours, theirs] = [text, reference].map((one) => [...one.trim()]) as [string[], string[]];
  return { errors: editDistance(ours, theirs), length: theirs.length };
}

/** The error rate of a corpus: all errors by the length of all references. */
export function errorRate(each: readonly Errors[]): number {
  return addUp(each, ({ errors }) => errors) / addUp(each, ({ length }) => length);
}

function splitWords(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/**
 * Normalizes a transcript as Whisper's normalizer for any language: lower case, without what stands in brackets,
 * with spaces instead of marks, symbols and punctuation (transformers: `BasicTextNormalizer`).
 */
export function normalizeTranscript(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[<[][^>\]]*[>\]]/g, '')
    .replaceAll(/\([^)]+?\)/g, '')
    .normalize('NFKC')
    .replaceAll(/[\p{M}\p{S}\p{P}]/gu, ' ')
    .toLowerCase()
    .replaceAll(/\s+/g, ' ');
}
