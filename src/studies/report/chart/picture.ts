import { type Content, type Markup, markup } from '../markup.ts';

/** The frame of a figure. Sizes are in CSS pixels. At the natural size, text is 10 to 11 pixels high. */
export interface Frame {
  /** An id that is unique on the page. */
  id: string;
  width: number;
  height: number;
  /** The accessible name and description of the picture. */
  title: string;
  description: string;
}

/** The natural width of a figure: the whole screen of a phone, or a third of a desktop's. */
export const WIDTH = 360;

/** An SVG picture with an accessible name and description. Its colors and fonts come from the page's style. */
export function picture({ id, width, height, title, description }: Frame, content: Content): Markup {
  return markup`<svg xmlns="http://www.w3.org/2000/svg" id="${id}" class="chart${width > WIDTH && ' natural'}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc"><title id="${id}-title">${title}</title><desc id="${id}-desc">${description}</desc>${content}</svg>`;
}

/** The approximate width of a text in pixels, if it is 10 to 11 pixels high. */
export function textWidth(text: string): number {
  return 5.7 * text.length;
}
