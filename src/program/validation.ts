import type { Evaluation, EvaluationWatch, Scores } from './example-set.ts';
import type { Program } from './program.ts';

/** The sets that a run is scored on. */
export interface Validation {
  /** One, or several that are each scored by themselves. */
  readonly parts: readonly Evaluation[];
  /** Examples of all. */
  readonly count: number;
  /** `eval_<score>`, of several sets `eval_<set>_<score>`, as transformers has them. */
  run(
    program: Program,
    values: Float32Array,
    /** Told of the first set's. */
    watch?: EvaluationWatch,
  ): Promise<Scores>;
}

/** Sets by their names, of which the name of a single one is in no score; undefined where there is none. */
export function validationOf(sets: readonly (readonly [string, Evaluation])[]): Validation | undefined {
  if (sets.length === 0) return undefined;
  return {
    parts: sets.map(([, evaluation]) => evaluation),
    count: sets.reduce((sum, [, { examples }]) => sum + examples.lengths.length, 0),
    async run(program, values, watch) {
      const all: Scores = {};
      for (const [i, [name, evaluation]] of sets.entries()) {
        const scores = await evaluation.run(program, values, i === 0 ? watch : undefined);
        if (sets.length === 1) return scores;
        for (const [key, score] of Object.entries(scores))
          all[`eval_${name}_${key.slice('eval_'.length)}`] = score;
      }
      return all;
    },
  };
}
