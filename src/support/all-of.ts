import { Mistakes } from './mistakes.ts';

/** Runs independent functions. Throws one UserError with all their errors. */
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
