/** A word of a text. Its characters are [start, end). */
export interface TextWord {
  text: string;
  start: number;
  end: number;
}

/** Splits at white space. In scripts without spaces between words, every character is a word. */
const CHUNKS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]+/gu;
/** Matches `J.` and `U.S.`: a few letters, each followed by a full stop. */
const INITIALS = /^(\p{L}\.){1,8}$/u;

/**
 * Splits plain text into words, roughly as in annotated corpora: at white space, with surrounding punctuation as
 * separate words. A repeated sign is one word, and so are `@name` and `#tag`.
 */
export function textWords(text: string): TextWord[] {
  return Array.from(text.matchAll(CHUNKS)).flatMap(({ 0: chunk, index }) => {
    const [before, after]: [TextWord[], TextWord[]] = [[], []];
    let [start, end] = [index, index + chunk.length];
    while (start < end && isPunctuation(text[start]!) && !beginsName(text, start)) {
      const from = start;
      while (start < end && text[start] === text[from]) start++;
      before.push(word(text, from, start));
    }
    while (start < end && isPunctuation(text[end - 1]!)) {
      if (text[end - 1] === '.' && INITIALS.test(text.slice(start, end))) break;
      const to = end;
      while (start < end && text[end - 1] === text[to - 1]) end--;
      after.push(word(text, end, to));
    }
    const middle = start < end ? [word(text, start, end)] : [];
    return [...before, ...middle, ...after.reverse()];
  });
}

function word(text: string, start: number, end: number): TextWord {
  return { text: text.slice(start, end), start, end };
}

function isPunctuation(character: string): boolean {
  return /\p{P}/u.test(character);
}

function beginsName(text: string, at: number): boolean {
  return (text[at] === '@' || text[at] === '#') && /\p{L}/u.test(text[at + 1] ?? '');
}
