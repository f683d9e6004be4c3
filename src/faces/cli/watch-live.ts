import { folderFiles } from '../../input/formats/node/folder-files.ts';
import { readRunEvents } from '../../studies/report/run/read-run-record.ts';
import { summarizeRun } from '../../studies/report/run/run-record.ts';
import type { ParsedConfig } from '../../training/run/config/run-config.ts';
import { LivePicture } from '../servers/live/live-picture.ts';
import { serveLive } from '../servers/live/live-server.ts';
import type { Watch } from './watch-run.ts';

/**
 * Serves the page of a run that is about to start. After the run, an open page stays but is no longer served.
 *
 * @param onStop called when the page's button is pressed
 */
export async function watchLive(
  config: ParsedConfig,
  port: number,
  onStop: () => void,
): Promise<Watch & { url: string }> {
  const facts = summarizeRun(config);
  if (!facts) throw new Error('the config is not one that a report can read');
  const picture = new LivePicture(facts);
  const server = await serveLive(picture, port, onStop);
  return {
    url: server.url,
    show(event) {
      if (event.type === 'start' && event.step > 0)
        for (const old of eventsBefore(config, event.step)) picture.add(old);
      picture.add(event);
      server.changed();
    },
    close(failure) {
      if (failure) picture.fail(failure.message);
      return server.close();
    },
  };
}

/**
 * The events that a run logged before it was resumed at `step`. The log may already contain the `start` event
 * of the resumed run. This event and later ones are omitted.
 */
function eventsBefore({ output }: ParsedConfig, step: number) {
  const events = readRunEvents(folderFiles(output));
  const start = events.findLastIndex((event) => event.type === 'start' && event.step === step);
  return start < 0 ? events : events.slice(0, start);
}
