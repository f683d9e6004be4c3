import type { Tuner } from '../../../methods/tuners/tuner.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import type { Processes } from '../../../program/parallel/communicator.ts';
import { Program } from '../../../program/program.ts';
import type { Validation } from '../../../program/validation.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { releasing } from '../../../support/opened.ts';
import type { RunConfig } from '../../../training/run/config/run-config.ts';

/** Scores an adapter over the original base, and compares the scores with those over its quantized base. */
export async function scoreOnFloat32(
  model: LoadedModel,
  { tuner, values }: { tuner: Tuner; values: Float32Array },
  validation: Validation,
  {
    config: { base_dtype, device, training },
    rounded,
    processes: { communicator, threads, sharesHost },
  }: { config: RunConfig; rounded: Readonly<Record<string, number>>; processes: Processes },
): Promise<string> {
  const engine = nodeEngine(model, device, { threads, sharesHost });
  const program = new Program(engine, model, tuner, { communicator });
  const used = { release: () => program.release().finally(() => model.close()) };
  return releasing(used, async () => {
    const scores: Record<string, number> = await validation.run(program, values);
    const name = `eval_${training.metric_for_best_model}`;
    const [there, here] = [rounded[name], scores[name]];
    const sentence = `With the float32 base model, ${name} is ${here!.toFixed(4)}`;
    // A run without evaluations has no scores to compare.
    if (there === undefined) return sentence;
    const difference = `${here! >= there ? '+' : '-'}${Math.abs(here! - there).toFixed(4)}`;
    return `${sentence} (${difference} compared with ${base_dtype}).`;
  });
}
