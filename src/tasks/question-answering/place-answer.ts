import { Characters } from './characters.ts';

/**
 * Finds the start of an answer without a position, in code points. It prefers the first occurrence as whole words to
 * other occurrences. Undefined if the answer does not occur.
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

/** Whether there are letters or digits on both sides of a position. */
function isInWord(text: string, at: number): boolean {
  return (
    /[\p{L}\p{N}]$/u.test(text.slice(Math.max(0, at - 2), at)) &&
    /^[\p{L}\p{N}]/u.test(text.slice(at, at + 2))
  );
}
