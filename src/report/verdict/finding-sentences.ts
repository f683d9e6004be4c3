import type { Verdict } from '../../run/verdict.ts';

/** What a person should know of a verdict and do about it, a sentence or two each. */
export function findingSentences({ learnt, findings }: Pick<Verdict, 'learnt' | 'findings'>): string[] {
  return findings.map(
    ({ message, remedy }, i) =>
      `${!learnt && i === 0 ? 'This model has learnt nothing. ' : ''}${message} ${remedy}`,
  );
}
