import type { Evaluation, EvaluationWatch, Scores } from './example-set.ts';
import type { Program } from './program.ts';

/** The validation sets that a run is scored on. */
export interface Validation {
  /** One evaluation per set. */
  readonly parts: readonly Evaluation[];
  /** Number of examples in all sets. */
  readonly count: number;
  /** Returns `eval_<score>`, or with several sets `eval_<set>_<score>`, as in transformers. */
  run(
    program: Program,
    values: Float32Array,
    /** Called for the first set only. */
    watch?: EvaluationWatch,
  ): Promise<Scores>;
}

/** Combines named sets. The scores of a single set do not contain its name. Undefined if there is no set. */
export function joinValidation(sets: readonly (readonly [string, Evaluation])[]): Validation | undefined {
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
