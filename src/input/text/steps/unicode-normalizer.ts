import { type AlignedText, Changes } from './aligned-text.ts';

export type NormalizationForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

/** Characters that the Rust library does not decompose, because its tables are older than the engine's. */
const WHOLE =
  /([\u32ff\ua7f1-\ua7f4\uab69\u{105c9}\u{105e4}\u{10781}-\u{107ba}\u{11383}\u{11385}\u{1138e}\u{11391}\u{113c5}-\u{113c8}\u{11938}\u{16121}-\u{16128}\u{16d68}-\u{16d6a}\u{1ccd6}-\u{1ccf9}\u{1e030}-\u{1e06d}\u{1f16c}\u{1fbf0}-\u{1fbf9}])/u;

/**
 * Converts a text to a Unicode normalization form. Each new character represents what the first of its old characters
 * represented.
 */
export function unicodeNormalized(text: AlignedText, form: NormalizationForm): AlignedText {
  const normalized = inForm(text.text, form);
  if (normalized === text.text) return text;
  const decomposition = form === 'NFC' || form === 'NFD' ? 'NFD' : 'NFKD';
  const pending: [character: string, count: number][] = [];
  for (const character of text.text) {
    for (const [i, part] of [...inForm(character, decomposition)].entries())
      pending.push([part, i === 0 ? 0 : 1]);
  }
  const changes = new Changes();
  // The first character is searched for, because marks may be reordered, and combined characters need not have been
  // adjacent.
  let first = 0;
  for (const character of normalized) {
    let count = 1;
    for (const part of form === decomposition ? [character] : inForm(character, decomposition)) {
      let at = first;
      while (at < pending.length && pending[at]![0] !== part) at++;
      count += (pending[at]?.[1] ?? 1) - 1;
      pending.splice(at, 1, ['', 1]);
      while (first < pending.length && pending[first]![0] === '') first++;
    }
    changes.add(character, count);
  }
  return text.transform(changes);
}

function inForm(text: string, form: NormalizationForm): string {
  if (!WHOLE.test(text)) return text.normalize(form);
  const parts = text.split(WHOLE).map((part, i) => (i % 2 === 0 ? part.normalize(form) : part));
  return parts.join('');
}
