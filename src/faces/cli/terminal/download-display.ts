import type { DownloadProgress } from '../../../input/formats/byte-source.ts';
import { printable } from '../../../support/text.ts';
import type { OpenOptions } from '../../../use/trained/model-options.ts';
import { ERASE_LINE, type Screen } from './screen.ts';

/** Bytes between two redraws, so that redrawing does not slow down a fast download. */
const STEP = 2 ** 20;

/** Shows the progress of a download on a terminal. The line is redrawn, and removed at the end. */
export function downloadDisplay(screen: Screen): (progress: DownloadProgress) => void {
  let drawnAt = 0;
  let current = '';
  return ({ file, received, total }) => {
    if (!screen.isTTY) {
      if (file !== current) screen.write(`fetching ${file} (${megabytes(total)} MB)\n`);
      current = file;
      return;
    }
    if (file !== current) [current, drawnAt] = [file, 0];
    if (received >= total) screen.write(ERASE_LINE);
    else if (received - drawnAt >= STEP) {
      drawnAt = received;
      const share = Math.round((100 * received) / total);
      screen.write(
        `${ERASE_LINE}fetching ${file}: ${megabytes(received)} of ${megabytes(total)} MB, ${share} %`,
      );
    }
  };
}

function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

/** Shows progress and notices on standard error while a model is opened. */
export function openingDisplay(): Pick<OpenOptions, 'onProgress' | 'onNotice'> {
  return {
    onProgress: downloadDisplay(process.stderr),
    onNotice: (message) => console.error(`note: ${printable(message)}`),
  };
}
