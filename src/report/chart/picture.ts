import { type Content, type Markup, markup } from '../markup.ts';

/** A figure's frame. Sizes are in CSS pixels at its natural size, at which text is 10 to 11 pixels high. */
export interface Frame {
  /** Unique on its page. */
  id: string;
  width: number;
  height: number;
  /** The accessible name and description of the picture. */
  title: string;
  description: string;
}

/** The natural width of a figure: a phone's full screen, a third of a desktop's. */
export const WIDTH = 360;

/** An SVG picture with an accessible name and description. Colours and fonts come from the page's style. */
export function picture({ id, width, height, title, description }: Frame, content: Content): Markup {
  return markup`<svg xmlns="http://www.w3.org/2000/svg" id="${id}" class="chart${width > WIDTH && ' natural'}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc"><title id="${id}-title">${title}</title><desc id="${id}-desc">${description}</desc>${content}</svg>`;
}

/** The approximate width of a text of 10 to 11 pixels, in pixels. */
export function textWidth(text: string): number {
  return 5.7 * text.length;
}
