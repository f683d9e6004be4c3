import type { AlignedText } from './aligned-text.ts';
import type { AddedToken } from './tokenizer-json.ts';

/** A part of a text: an added token, or the text between two. */
export interface SplitText {
  text: AlignedText;
  token?: AddedToken;
}

const WORD = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/**
 * Returns a function that splits texts at added tokens. It takes the leftmost match. If several match at one
 * position, it takes the longest.
 *
 * @param contents the text of each token
 */
export function addedTokenCutter(tokens: readonly AddedToken[], contents: readonly string[]) {
  const byFirst = new Map<string, { content: string; token: AddedToken }[]>();
  for (const [i, token] of tokens.entries()) {
    const content = contents[i]!;
    if (content === '') continue;
    const beginning = byFirst.get(content[0]!) ?? [];
    byFirst.set(content[0]!, beginning);
    beginning.push({ content, token });
  }
  for (const beginning of byFirst.values()) beginning.sort((a, b) => b.content.length - a.content.length);

  return (text: AlignedText): SplitText[] => {
    if (byFirst.size === 0) return text.text === '' ? [] : [{ text }];
    const sections: SplitText[] = [];
    let done = 0;
    const until = (to: number) => {
      if (done < to) sections.push({ text: text.slice(done, to) });
      done = Math.max(done, to);
    };
    for (let at = 0; at < text.text.length; ) {
      const token = byFirst.get(text.text[at]!)?.find(({ content }) => text.text.startsWith(content, at));
      if (!token) {
        at++;
        continue;
      }
      const end = at + token.content.length;
      const { single_word, lstrip, rstrip } = token.token;
      if (!single_word || isAlone(text.text, at, end)) {
        until(lstrip ? Math.max(done, spaceBefore(text.text, at)) : at);
        const to = rstrip ? spaceAfter(text.text, end) : end;
        sections.push({ text: text.slice(done, to), token: token.token });
        done = to;
      }
      at = end;
    }
    until(text.text.length);
    return sections;
  };
}

/** Whether the range [from, to) has no word character directly before or after it. */
function isAlone(text: string, from: number, to: number): boolean {
  const before = [...text.slice(Math.max(0, from - 2), from)].at(-1);
  const after = [...text.slice(to, to + 2)][0];
  return !(before && WORD.test(before)) && !(after && WORD.test(after));
}

function spaceBefore(text: string, at: number): number {
  while (at > 0 && /\p{White_Space}/u.test(text[at - 1]!)) at--;
  return at;
}

function spaceAfter(text: string, at: number): number {
  while (at < text.length && /\p{White_Space}/u.test(text[at]!)) at++;
  return at;
}
