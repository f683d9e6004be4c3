import { z } from 'zod';

/** JSON has no NaN: what is not a number was none, or is missing in the log of an earlier version. */
const number = z
  .unknown()
  .transform((value) => (typeof value === 'number' ? value : Number.NaN))
  .prefault(null);
const step = z.int().min(0);
const text = z.string();
const ranks = z.record(z.string(), z.int().min(0));

/** What a report reads of a run's events. Other fields, and other events, are none of its business. */
const runEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('start'),
    step,
    total_steps: step,
    num_train_epochs: number,
    train_examples: number,
    eval_examples: number,
    trainable_parameters: number,
    adapter_parameters: number,
    ranks: ranks.default({}),
    device: text.default(''),
    startup_ms: number,
  }),
  z.object({
    type: z.literal('step'),
    step,
    loss: number,
    regularizer: number,
    grad_norm: number,
    learning_rate: number,
    budget: number,
    examples_per_second: number,
    peak_memory_mb: number,
    skipped_steps: number,
  }),
  z.object({ type: z.literal('evaluation'), step, best: z.boolean().default(false) }).catchall(number),
  z.object({
    type: z.literal('allocation'),
    step,
    budget: z.int().min(0),
    threshold: number,
    final: z.boolean(),
    ranks,
    scores: z.array(z.array(z.number().nullable())).optional(),
  }),
  z.object({ type: z.literal('notice'), step, message: text }),
  z.object({
    type: z.literal('finish'),
    step,
    reason: text,
    train_runtime: number,
    peak_memory_mb: number,
    metrics: z.record(z.string(), number).default({}),
    ranks: ranks.default({}),
  }),
]);

export type RunEvent = z.output<typeof runEventSchema>;
type EventOf<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>;
export type StartFacts = EventOf<'start'>;
export type StepFacts = EventOf<'step'>;
export type EvaluationFacts = EventOf<'evaluation'>;
export type AllocationFacts = EventOf<'allocation'>;
export type NoticeFacts = EventOf<'notice'>;
export type FinishFacts = EventOf<'finish'>;

/** An event as a report reads it; undefined for one that it does not know or cannot trust. */
export function runEvent(value: unknown): RunEvent | undefined {
  return runEventSchema.safeParse(value).data;
}
