import type { Verdict } from '../../../training/run/verdict.ts';

/** The warnings of a verdict and their remedies, one or two sentences each. */
export function findingSentences({
  learnt,
  kept = 'constant',
  findings,
}: Pick<Verdict, 'learnt' | 'kept' | 'findings'>): string[] {
  const isUseless = !learnt && kept === 'constant';
  return findings.map(
    ({ message, remedy }, i) =>
      `${isUseless && i === 0 ? 'The model has not learned anything useful. ' : ''}${message} ${remedy}`,
  );
}
