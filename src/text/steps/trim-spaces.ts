import type { TextToken } from './pipeline.ts';

/** Excludes spaces at either end from the tokens' offsets, like the Rust library's `trim_offsets`. */
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
      // A single leading space may be the prefix space that was added.
      if (add_prefix_space && leading === 1 && (i === 0 || start === 0)) leading = 0;
      start = Math.min(start + leading, end);
    }
    if (trailing > 0 && end >= trailing) end = Math.max(end - trailing, start);
    return { ...token, start, end };
  });
}

const isSpace = (character: string) => character === 'Ġ' || /\p{White_Space}/u.test(character);
