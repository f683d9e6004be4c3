import { type Markup, markup } from '../markup.ts';
import type { RankTable } from '../rank-table.ts';
import { shadeOf } from './heat-map.ts';
import { picture } from './picture.ts';

const CELL = 9;

/** A small heat map without text. Several of them fit in a row. */
export function rankThumbnail(
  id: string,
  { columns, rows }: RankTable,
  largest: number,
  title: string,
): Markup {
  const frame = { id, width: rows.length * CELL, height: columns.length * CELL, title };
  const cells = rows.flatMap(({ ranks }, layer) =>
    ranks.map((rank, matrix) =>
      rank === undefined
        ? undefined
        : markup`<rect class="h${shadeOf(rank, largest)}" x="${layer * CELL}" y="${(columns.length - 1 - matrix) * CELL}" width="${CELL - 1}" height="${CELL - 1}"/>`,
    ),
  );
  return picture({ ...frame, description: 'A small map of ranks; a deeper color is a higher rank.' }, cells);
}
