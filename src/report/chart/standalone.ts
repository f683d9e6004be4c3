import type { Markup } from '../markup.ts';
import { CHART_STYLE } from './style.ts';

/** A picture as an SVG file that needs nothing else. Its colours follow the colour scheme of who looks at it. */
export function standalone({ text }: Markup, moreStyle = ''): string {
  return `${text.replace(/^<svg[^>]*>/, (tag) => `${tag}<style>${CHART_STYLE}${moreStyle}</style>`)}\n`;
}
