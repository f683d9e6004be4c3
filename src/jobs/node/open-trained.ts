import { openInThread } from '../../trained/node/thread/open-in-thread.ts';
import { trainedAt } from './write-checkpoint-adapter.ts';

/** Like `open`, but also accepts the path of a run's checkpoint. */
export async function openTrained(
  ...[what, ...options]: Parameters<typeof openInThread>
): ReturnType<typeof openInThread> {
  return openInThread(typeof what === 'string' ? await trainedAt(what) : what, ...options);
}
