import type { Markup } from '../markup.ts';
import { CHART_STYLE } from './style.ts';

/** A picture as a self-contained SVG file. Its colors follow the viewer's color scheme. */
export function standalone({ text }: Markup, moreStyle = ''): string {
  return `${text.replace(/^<svg[^>]*>/, (tag) => `${tag}<style>${CHART_STYLE}${moreStyle}</style>`)}\n`;
}
