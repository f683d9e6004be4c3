import { openInThread } from '../../trained/node/thread/open-in-thread.ts';
import { trainedAt } from './write-checkpoint-adapter.ts';

/** Like `open`, but also opens a run's checkpoint, given by the path of its file. */
export async function openTrained(
  ...[what, ...options]: Parameters<typeof openInThread>
): ReturnType<typeof openInThread> {
  return openInThread(typeof what === 'string' ? await trainedAt(what) : what, ...options);
}
