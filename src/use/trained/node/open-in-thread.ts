import { disableTelemetry } from '../../../engine/runtime/node/disable-telemetry.ts';
import { disk } from '../../../input/formats/node/folder-files.ts';
import { startThread } from '../../../support/node/threads.ts';
import type { AnyTaskName, UsualTask } from '../../../tasks/prediction-types.ts';
import type { ModelInThread } from '../thread/model-in-thread.ts';
import { type FinishedRun, openModelInThread, type ThreadOptions } from '../thread/open-in-thread.ts';

/** Opens a model like {@link openModelInThread}, in a thread of Node. */
export function openInThread<Task extends AnyTaskName = UsualTask>(
  what: string | FinishedRun<Task>,
  options: ThreadOptions<Task> = {},
): Promise<ModelInThread<Task>> {
  return openModelInThread(what, options, {
    start() {
      disableTelemetry();
      return startThread(new URL('./model-thread.js', import.meta.url), { name: "model's thread" });
    },
    disk,
    warn: (message) => process.emitWarning(message),
  });
}
