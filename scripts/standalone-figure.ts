import { CHART_STYLE } from '../src/studies/report/chart/style.ts';
import type { Markup } from '../src/studies/report/markup.ts';

/** A figure as a self-contained SVG file. Its colors follow the viewer's color scheme. */
export function standalone({ text }: Markup, moreStyle = ''): string {
  return `${text.replace(/^<svg[^>]*>/, (tag) => `${tag}<style>${CHART_STYLE}${moreStyle}</style>`)}\n`;
}
