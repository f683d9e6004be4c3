import type { MeasureEvent } from '../../../studies/jobs/node/calibration/measure-bases.ts';
import { ERASE_LINE, type Screen } from './screen.ts';
import { LOADING } from './train-display.ts';

const DOING = {
  ...LOADING,
  steps: 'training some steps',
  evaluation: 'evaluating',
} as const;

/** Shows measurements: on a terminal in one line that is redrawn, elsewhere in one line per base type. */
export function measureDisplay(screen: Screen): { show(event: MeasureEvent): void; close(): void } {
  const isLive = screen.isTTY === true;
  let isDrawn = false;
  const close = () => {
    if (isDrawn) screen.write(ERASE_LINE);
    isDrawn = false;
  };
  const draw = (line: string) => {
    screen.write(isLive ? `${ERASE_LINE}${line}` : `${line}\n`);
    isDrawn = isLive;
  };
  return {
    show(event) {
      const { dtype } = event;
      if (event.what === 'begin') draw(`measuring ${dtype}`);
      else if (event.what === 'made') {
        close();
        screen.write(`the ${dtype} base model is cached for runs\n`);
      } else if (isLive && 'share' in event)
        draw(`measuring ${dtype}: ${DOING[event.what]} ${Math.round(100 * event.share)} %`);
    },
    close,
  };
}
