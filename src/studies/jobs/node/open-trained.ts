import type { AnyTaskName, UsualTask } from '../../../tasks/prediction-types.ts';
import { openInThread } from '../../../use/trained/node/open-in-thread.ts';
import type { ModelInThread } from '../../../use/trained/thread/model-in-thread.ts';
import type { FinishedRun, ThreadOptions } from '../../../use/trained/thread/open-in-thread.ts';

/**
 * Opens a trained model to predict, embed, generate, evaluate, merge or export. It computes in its own thread, so that
 * your event loop stays free. Close it after use, or declare it with `await using`.
 *
 * @param what the folder of a run, a checkpoint, an adapter of PEFT or AdapterHub, or a model; its id on the Hub; or the
 * config of a finished run
 * @param options with `task`, the model must have this task, and inputs and answers have its types
 * @returns the model, which you close after use
 * @throws UserError for anything missing, damaged or incompatible
 * @example
 * ```ts
 * import { open } from 'adalora';
 *
 * await using model = await open('runs/reviews');
 * const { label } = await model.predict('The cat sat on the mat.');
 * ```
 */
export async function openTrained<Task extends AnyTaskName = UsualTask>(
  what: string | FinishedRun<Task>,
  options?: ThreadOptions<Task>,
): Promise<ModelInThread<Task>> {
  if (typeof what !== 'string' || !what.endsWith('.safetensors')) return openInThread(what, options);
  const { trainedAt } = await import('./write-checkpoint-adapter.ts');
  return openInThread(await trainedAt(what), options);
}
