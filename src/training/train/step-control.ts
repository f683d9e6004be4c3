import { z } from 'zod';
import { UserError } from '../../support/user-error.ts';

/** The state of a run after a step. Names are those of Hugging Face's TrainerState where it has them. */
export interface StepState {
  /** Number of steps taken. */
  step: number;
  total_steps: number;
  epoch: number;
  /** Mean task loss of this step's rows. */
  loss: number;
  /** The learning rate of this step. */
  learning_rate: number;
  /** The scores of the last evaluation, by name with `eval_`; empty before the first one. */
  metrics: Readonly<Record<string, number>>;
}

const control = z.strictObject({
  /** End the run after this step, as `training.stop_at_step` does: with a last evaluation and an adapter. */
  should_training_stop: z.boolean().optional(),
  /** Evaluate now, although no evaluation is due. */
  should_evaluate: z.boolean().optional(),
  /** Replaces `training.learning_rate` from the next step on; the schedule continues. */
  learning_rate: z.number().positive().optional(),
});

/** A program's requests to a run after a step. Names are those of Hugging Face's TrainerControl where it has them. */
export type StepControl = z.infer<typeof control>;

// biome-ignore lint/suspicious/noConfusingVoidType: a function may return nothing
type Answer = StepControl | undefined | void;

/** Called after each step. If its result depends only on its argument, a run resumes exactly. */
export type OnStepEnd = (state: StepState) => Answer | Promise<Answer>;

/** @throws UserError for an answer that is not a {@link StepControl} */
export function checkedControl(answer: unknown): StepControl {
  const { data, error } = control.safeParse(answer ?? {});
  if (data) return data;
  const { path, message } = error.issues[0]!;
  throw new UserError(
    `The answer of onStepEnd is invalid${path.length ? ` at ${path.join('.')}` : ''}: ${message}.`,
  );
}
