import { type Content, type Markup, markup } from '../markup.ts';

/** A figure's frame. Sizes are in CSS pixels at its natural size, at which text is 10 to 11 pixels high. */
export interface Frame {
  /** Unique on its page. */
  id: string;
  width: number;
  height: number;
  /** What it is, and what is to be seen on it: names of the picture for those who do not see it. */
  title: string;
  description: string;
}

/** The natural width of a figure: all of a phone's screen, a third of a desk's. */
export const WIDTH = 360;

/** An SVG picture with an accessible name and description. Colours and type come from the page's style. */
export function picture({ id, width, height, title, description }: Frame, content: Content): Markup {
  return markup`<svg xmlns="http://www.w3.org/2000/svg" id="${id}" class="chart${width > WIDTH && ' natural'}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc"><title id="${id}-title">${title}</title><desc id="${id}-desc">${description}</desc>${content}</svg>`;
}

/** Pixels that a text of 10 to 11 pixels takes, about. */
export function textWidth(text: string): number {
  return 5.7 * text.length;
}
