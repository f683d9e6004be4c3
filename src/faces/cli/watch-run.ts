import { join } from 'node:path';
import type { ParsedConfig } from '../../training/run/config/run-config.ts';
import type { TrainEvent } from '../../training/run/events.ts';

export interface WatchFlags {
  live?: boolean;
  port?: number;
  tensorboard?: boolean;
}

/** A display that follows a run, in addition to the terminal. */
export interface Watch {
  show(event: TrainEvent): void;
  /** Ends the display. With a `failure`, the run has no result. */
  close(failure?: Error): Promise<void>;
}

/** Starts the displays that the flags request: the live page (its address is printed) and TensorBoard's files. */
export async function watchRun(config: ParsedConfig, flags: WatchFlags, onStop: () => void): Promise<Watch> {
  const watches: Watch[] = [];
  if (flags.live) {
    const { watchLive } = await import('./watch-live.ts');
    const live = await watchLive(config, flags.port ?? 0, onStop);
    console.error(`Live: ${live.url}`);
    watches.push(live);
  }
  const reported = [config.training.report_to ?? []].flat();
  if (flags.tensorboard && !reported.includes('tensorboard')) {
    const { folderFiles } = await import('../../input/formats/node/folder-files.ts');
    const { eventFile } = await import('../../studies/report/tensorboard/event-file.ts');
    watches.push({
      show: eventFile(folderFiles(join(config.output, 'tensorboard')), process.pid),
      close: async () => {},
    });
  }
  return {
    show(event) {
      for (const watch of watches) watch.show(event);
    },
    async close(failure) {
      await Promise.all(watches.map((watch) => watch.close(failure)));
    },
  };
}
