import { Characters } from './characters.ts';

/**
 * Where an answer begins that came without its place, in code points: the first time that it stands there as whole words,
 * or else the first time at all. Undefined where it does not.
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

/** Whether letters or digits stand on both sides of a place. */
function isInWord(text: string, at: number): boolean {
  return (
    /[\p{L}\p{N}]$/u.test(text.slice(Math.max(0, at - 2), at)) &&
    /^[\p{L}\p{N}]/u.test(text.slice(at, at + 2))
  );
}
