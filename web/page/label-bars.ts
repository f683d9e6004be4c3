import { type Markup, markup } from '../../src/studies/report/markup.ts';

export interface LabelBar {
  label: string;
  /** Length of the bar, from 0 to 1. */
  share: number;
  /** The text after the bar. */
  value: string;
}

/**
 * Shows labels with a bar each. `best` highlights the first.
 *
 * @param kind `answers` are long, so they are shown whole
 */
export function labelBars(
  bars: readonly LabelBar[],
  best = false,
  kind: 'labels' | 'answers' = 'labels',
): Markup {
  return markup`<ul class="bars ${kind}">${bars.map(
    ({ label, share, value }, i) =>
      markup`<li${best && i === 0 && markup` class="first"`}><span class="name">${label}</span><progress class="bar" max="1" value="${share}" aria-hidden="true"></progress><span>${value}</span></li>`,
  )}</ul>`;
}
