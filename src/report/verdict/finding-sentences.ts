import type { Verdict } from '../../run/verdict.ts';

/** The warnings of a verdict and their remedies, one or two sentences each. */
export function findingSentences({ learnt, findings }: Pick<Verdict, 'learnt' | 'findings'>): string[] {
  return findings.map(
    ({ message, remedy }, i) =>
      `${!learnt && i === 0 ? 'The model has not learned anything useful. ' : ''}${message} ${remedy}`,
  );
}
