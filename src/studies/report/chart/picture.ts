import { mean } from '../../../support/numbers.ts';
import { type Content, type Markup, markup } from '../markup.ts';

/**
 * Moves overlapping labels apart, as little as possible. Each label is as near to its wanted height as the others
 * allow. All lie within [top, bottom] if they fit.
 */
export function spreadLabels(
  wanted: readonly number[],
  distance: number,
  top: number,
  bottom: number,
): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
  // Labels that touch become one block. Its center is the mean of their wanted heights.
  let blocks: { members: number[]; centre: number }[] = order.map((i) => ({
    members: [i],
    centre: wanted[i]!,
  }));
  const half = ({ members }: { members: number[] }) => (members.length * distance) / 2;
  const kept = (block: { members: number[]; centre: number }) => ({
    ...block,
    centre: Math.max(
      top + half(block) - distance / 2,
      Math.min(bottom - half(block) + distance / 2, block.centre),
    ),
  });
  blocks = blocks.map(kept);
  for (let i = 1; i < blocks.length; ) {
    const [above, below] = [blocks[i - 1], blocks[i]];
    if (below!.centre - above!.centre >= half(above!) + half(below!) - 1e-9) {
      i++;
      continue;
    }
    const members = [...above!.members, ...below!.members];
    const centre = mean(members.map((k) => wanted[k]!));
    blocks.splice(i - 1, 2, kept({ members, centre }));
    i = Math.max(1, i - 1);
  }
  const heights: number[] = [];
  for (const block of blocks)
    block.members.forEach((i, k) => {
      heights[i] = block.centre + (k - (block.members.length - 1) / 2) * distance;
    });
  return heights;
}

/** A short name for a column of a rank table. It saves space beside a picture. */
export function matrixName(column: string): string {
  return column.replace(/\.dense$/, '').replace('attention.output', 'attn. output');
}

/** The accessible name and description of a picture, and an id that is unique on the page. */
export interface Captioned {
  id: string;
  title: string;
  description: string;
}

/** The natural width of a figure: the whole screen of a phone, or a third of a desktop's. */
export const WIDTH = 360;

/**
 * An SVG picture with an accessible name and description. Its colors and fonts come from the page's style. Sizes are in
 * CSS pixels. At the natural size, text is 10 to 11 pixels high.
 */
export function picture(
  { id, width, height, title, description }: Captioned & { width: number; height: number },
  content: Content,
): Markup {
  return markup`<svg xmlns="http://www.w3.org/2000/svg" id="${id}" class="chart${width > WIDTH && ' natural'}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc"><title id="${id}-title">${title}</title><desc id="${id}-desc">${description}</desc>${content}</svg>`;
}

/** The approximate width of a text in pixels, if it is 10 to 11 pixels high. */
export function textWidth(text: string): number {
  return 5.7 * text.length;
}
