import { rankAmongSeveral } from '../../../program/parallel/node/launch.ts';
import { printable } from '../../../support/text.ts';
import type { OpenOptions } from '../../../use/trained/node/open-options.ts';
import { downloadDisplay } from './download-display.ts';

/**
 * Shows progress and notices on standard error while a model is opened. Only the first of several processes
 * prints.
 */
export function openingDisplay(): Pick<OpenOptions, 'onProgress' | 'onNotice'> {
  return {
    onProgress: downloadDisplay(process.stderr),
    onNotice: (message) => {
      if (!rankAmongSeveral(process.env)) console.error(`note: ${printable(message)}`);
    },
  };
}
