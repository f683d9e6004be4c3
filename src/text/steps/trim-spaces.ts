import type { TextToken } from './pipeline.ts';

/** Takes spaces at either end out of what tokens stand for, as the Rust library's `trim_offsets` does. */
export function trimSpaces(
  tokens: TextToken[],
  { add_prefix_space }: { add_prefix_space: boolean },
): TextToken[] {
  return tokens.map(({ start, end, ...token }, i) => {
    const characters = [...token.token];
    let leading = characters.findIndex((character) => !isSpace(character));
    if (leading < 0) leading = characters.length;
    const trailing = characters.length - 1 - characters.findLastIndex((character) => !isSpace(character));
    if (leading > 0) {
      // The first space may be one that was put there.
      if (add_prefix_space && (i === 0 || start === 0)) leading--;
      start = Math.min(start + leading, end);
    }
    if (trailing > 0 && end >= trailing) end = Math.max(end - trailing, start);
    return { ...token, start, end };
  });
}

const isSpace = (character: string) => character === 'Ġ' || /\p{White_Space}/u.test(character);
