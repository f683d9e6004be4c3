import { expect, it } from 'vitest';
import type { MeasureEvent } from '../../../studies/jobs/calibration/measure-bases.ts';
import { ERASE_LINE } from './screen.ts';
import { measureDisplay } from './train-display.ts';

const EVENTS: MeasureEvent[] = [
  { dtype: 'int8', what: 'begin' },
  { dtype: 'int8', what: 'base', share: 0.5 },
  { dtype: 'int8', what: 'made' },
  { dtype: 'int8', what: 'steps', share: 0.25 },
];

function shown(isTTY: boolean): string {
  let text = '';
  const display = measureDisplay({
    isTTY,
    write: (more: string) => {
      text += more;
    },
  });
  for (const event of EVENTS) display.show(event);
  display.close();
  return text;
}

it('redraws its line on a terminal, and leaves only the made bases', () => {
  expect(shown(true).replaceAll(ERASE_LINE, '<')).toBe(
    '<measuring int8<measuring int8: quantizing the base model 50 %<the int8 base model is cached for runs\n' +
      '<measuring int8: training some steps 25 %<',
  );
});

it('prints a line for each type elsewhere', () => {
  expect(shown(false)).toBe('measuring int8\nthe int8 base model is cached for runs\n');
});
