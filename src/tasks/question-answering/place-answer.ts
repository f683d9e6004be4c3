import { Characters } from './characters.ts';

/**
 * Finds the start of an answer without a position, in code points: its first occurrence as whole words, otherwise
 * its first occurrence. Undefined if it does not occur.
 */
export function placeAnswer(context: string, answer: string): number | undefined {
  let first: number | undefined;
  for (let at = context.indexOf(answer); at >= 0; at = context.indexOf(answer, at + 1)) {
    first ??= at;
    if (!isInWord(context, at) && !isInWord(context, at + answer.length))
      return new Characters(context).indexOf(at);
  }
  return first === undefined ? undefined : new Characters(context).indexOf(first);
}

/** Whether letters or digits are on both sides of a position. */
function isInWord(text: string, at: number): boolean {
  return (
    /[\p{L}\p{N}]$/u.test(text.slice(Math.max(0, at - 2), at)) &&
    /^[\p{L}\p{N}]/u.test(text.slice(at, at + 2))
  );
}
