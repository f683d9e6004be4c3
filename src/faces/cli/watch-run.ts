import { join } from 'node:path';
import type { ParsedConfig } from '../../training/run/config/run-config.ts';
import type { TrainEvent } from '../../training/run/events.ts';

export interface WatchFlags {
  live?: boolean;
  tensorboard?: boolean;
}

/** A display that follows a run, in addition to the terminal. */
export interface Watch {
  show(event: TrainEvent): void;
  /** Ends the display. With a `failure`, the run has no result. */
  close(failure?: Error): Promise<void>;
}

/** Starts the displays that the flags request: the run's report (its path is printed) and TensorBoard's files. */
export async function watchRun(config: ParsedConfig, flags: WatchFlags): Promise<Watch> {
  const watches: Watch[] = [];
  if (flags.live) watches.push(await liveReport(config.output));
  if (flags.tensorboard && config.training.report_to === undefined) {
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

/** Seconds between two reports of an active run, at least. A page reloads itself as often. */
const PAUSE = 5;
/** Maximum share of time for writing reports. They are read from the whole log, which grows. */
const WRITING_SHARE = 0.05;

/** Writes the report of a run into its folder while it trains. The page reloads itself until the run ends. */
async function liveReport(run: string): Promise<Watch> {
  const { writeReport } = await import('../../studies/report/node/write-report.ts');
  const path = join(run, 'report.html');
  let next = Number.POSITIVE_INFINITY;
  const write = (refresh?: number) => {
    const startedAt = performance.now();
    try {
      writeReport([run], path, refresh);
    } catch (error) {
      // A display must not end the training.
      console.error(`No report of this moment: ${(error as Error).message}`);
    }
    const now = performance.now();
    next = now + Math.max(1000 * PAUSE, (now - startedAt) / WRITING_SHARE);
  };
  return {
    show({ type }) {
      if (type === 'start') {
        console.error(`Live report: ${path}`);
        next = 0;
      }
      if (performance.now() >= next) write(PAUSE);
    },
    async close() {
      if (next !== Number.POSITIVE_INFINITY) write();
    },
  };
}
