import { type AlignedText, Changes } from './aligned-text.ts';

export type NormalizationForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

/** A text in a form of Unicode's. Its characters stand for what the first of those they were made of stands for. */
export function unicodeNormalized(text: AlignedText, form: NormalizationForm): AlignedText {
  const normalized = text.text.normalize(form);
  if (normalized === text.text) return text;
  const decomposition = form === 'NFC' || form === 'NFD' ? 'NFD' : 'NFKD';
  const pending: [character: string, count: number][] = [];
  for (const character of text.text) {
    for (const [i, part] of [...character.normalize(decomposition)].entries())
      pending.push([part, i === 0 ? 0 : 1]);
  }
  const changes = new Changes();
  // Marks may have changed places, and a character be made of some that did not follow one another.
  let first = 0;
  for (const character of normalized) {
    let count = 1;
    for (const part of form === decomposition ? [character] : character.normalize(decomposition)) {
      let at = first;
      while (at < pending.length && pending[at][0] !== part) at++;
      count += (pending[at]?.[1] ?? 1) - 1;
      pending.splice(at, 1, ['', 1]);
      while (first < pending.length && pending[first][0] === '') first++;
    }
    changes.add(character, count);
  }
  return text.transform(changes);
}
