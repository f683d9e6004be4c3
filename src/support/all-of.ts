import { Mistakes } from './mistakes.ts';

/** Does things that do not need each other. Throws a UserError with all mistakes that there are in them. */
export function allOf<T>(works: readonly (() => T)[]): T[] {
  const mistakes = new Mistakes();
  let isFine = true;
  const done: T[] = [];
  for (const work of works) {
    try {
      done.push(work());
    } catch (error) {
      mistakes.note(error);
      isFine = false;
    }
  }
  if (isFine) return done;
  throw mistakes.asError();
}
